/**
 * Random sequences of operations on a cache and its forks, against plain arrays.
 * @module
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PAGE_KEYS } from '../src/attention/plan.ts'
import { KvCache } from '../src/index.ts'
import { Model, queries, sameAttention, TYPES } from './support/cache-model.ts'
import { namedKernels } from './support/platforms.ts'
import { random, SEED } from './support/random.ts'
import './support/replay.ts'

const SIZES = { batch: 2, kvHeads: 1, headDim: 4, valueDim: 3 }

/** What is checked of a cache: its tokens, through attention over all and over the last of them. */
interface Pair {
  cache: KvCache
  model: Model
}

const counts = fc.tuple(fc.nat(), fc.nat())
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      rows: fc.oneof(fc.constantFrom(1, PAGE_KEYS - 1, PAGE_KEYS, PAGE_KEYS + 1), fc.nat(140)),
      counts,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), counts }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fork' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dispose' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const) }) },
)
const step = fc.record({ which: fc.nat(), seed: fc.nat(), operation })

/** Applies one operation to one of the pairs. */
function apply(
  pairs: Pair[],
  { which, seed, operation: op }: typeof step extends fc.Arbitrary<infer T> ? T : never,
): void {
  const at = which % pairs.length
  const { cache, model } = pairs[at]
  switch (op.kind) {
    case 'append': {
      const lengths = op.counts.map(count => count % (op.rows + 1))
      const { k, v } = model.draw(random(seed), op.rows, lengths)
      cache.append(k, v, { lengths: Int32Array.from(lengths) })
      break
    }
    case 'truncate': {
      const lengths = model.lengths.map((length, b) => op.counts[b] % (length + 1))
      cache.truncate(Int32Array.from(lengths))
      model.truncate(lengths)
      break
    }
    case 'fork':
      if (pairs.length < 5) pairs.push({ cache: cache.fork(), model: model.fork() })
      break
    case 'dispose':
      if (pairs.length === 1) break
      cache.dispose()
      pairs.splice(at, 1)
      break
    case 'restore': {
      const restored = KvCache.from(cache.snapshot())
      cache.dispose()
      pairs[at] = { cache: restored, model }
    }
  }
}

const each = namedKernels.flatMap(([name, platform]) => TYPES.map(type => [name, type, platform] as const))

test.each(each)('%s %s', (_, type, platform) => {
  const api = platform.open()
  const how = { type, backend: platform.backend, rows: 3 }
  const tokenBytes = { float32: 7 * 4, float16: 7 * 2, int8: 7 + 2 * 4 }[type]
  const q = queries(1, 2, 2, 3, 4)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), steps => {
      const pairs: Pair[] = [{ cache: new KvCache({ ...SIZES, type }), model: new Model(SIZES, type) }]
      for (const one of steps) apply(pairs, one)
      for (const { cache, model } of pairs) {
        expect([...cache.lengths]).toEqual(model.lengths)
        const pages = model.lengths.reduce((sum, length) => sum + Math.ceil(length / PAGE_KEYS), 0)
        expect(cache.bytes).toBe(pages * PAGE_KEYS * tokenBytes)
        const { k, v } = model.dense()
        const keyLengths = Int32Array.from(model.lengths)
        const plain = { keyLengths, causal: true, queryOffset: keyLengths.map(length => length - 3) } as const
        const causal = api.attention(q, cache, { causal: true })
        expect(sameAttention('causal', causal, api.attention(q, k, v, plain), how)).toBeUndefined()
        const all = api.attention(q, cache)
        expect(sameAttention('all', all, api.attention(q, k, v, { keyLengths }), how)).toBeUndefined()
        cache.dispose()
      }
    }),
    { numRuns: type === 'float32' ? 60 : 30, seed: SEED },
  )
})

test.each(TYPES)('a rolling cache of %s shows the same through any pieces, forks and way back', type => {
  const [, platform] = namedKernels[namedKernels.length - 1]
  const api = platform.open()
  const sizes = { ...SIZES, batch: 1 }
  const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 })
  const rolling = fc.record({ window: fc.integer({ min: 1, max: 200 }), sinkTokens: fc.nat(140) })
  fc.assert(
    fc.property(rolling, pieces, fc.nat(), ({ window, sinkTokens }, counts, seed) => {
      const source = random(seed)
      const model = new Model(sizes, type)
      let cache = new KvCache({ ...sizes, window, sinkTokens, type })
      for (const [n, count] of counts.entries()) {
        const drafted = new Model(sizes).draw(source, count)
        // Drafted tokens that are taken back leave no trace.
        if (n % 3 === 1) {
          cache.append(drafted.k, drafted.v)
          cache.truncate(model.length)
        }
        if (n % 3 === 2) {
          const fork = cache.fork()
          fork.append(drafted.k, drafted.v)
          fork.dispose()
        }
        if (n % 4 === 3) cache = KvCache.from(cache.snapshot())
        const { k, v } = model.draw(source, count)
        cache.append(k, v)
        const q = queries(n, 1, 2, count, 4)
        const all = model.dense()
        const keep = new Uint8Array(count * model.length)
        for (let i = 0; i < count; i++) {
          const p = model.length - count + i
          for (let j = 0; j <= p; j++) keep[i * model.length + j] = j < sinkTokens || j > p - window ? 1 : 0
        }
        const want = api.attention(q, all.k, all.v, { keep: { data: keep, dims: [count, model.length] } })
        const got = api.attention(q, cache, { causal: true })
        for (let at = 0; at < want.data.length; at++)
          expect(Math.abs(got.data[at] - want.data[at])).toBeLessThan(1e-5)
      }
    }),
    { numRuns: 80, seed: SEED },
  )
})
