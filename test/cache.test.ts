/**
 * Attention over a KvCache: the bits of attention over the same keys in one piece, on every platform.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { KvCache } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleTensor } from './oracle/types.ts'
import {
  bits,
  filled,
  Model,
  maskOf,
  queries,
  rowsOf,
  type Sizes,
  sameAttention,
  TYPES,
} from './support/cache-model.ts'
import { outputTruth } from './support/check.ts'
import { compare, compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedPlatforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const SIZES: (Sizes & { heads: number })[] = [
  { batch: 1, heads: 2, kvHeads: 2, headDim: 16, valueDim: 16 },
  { batch: 1, heads: 6, kvHeads: 2, headDim: 24, valueDim: 10 },
  { batch: 2, heads: 4, kvHeads: 1, headDim: 33, valueDim: 7 },
]
const nameOf = (s: Sizes & { heads: number }): string =>
  `b${s.batch} h${s.heads}:${s.kvHeads} d${s.headDim} v${s.valueDim}`

function sizesOf({ batch, kvHeads, headDim, valueDim }: Sizes): Sizes {
  return { batch, kvHeads, headDim, valueDim }
}

/** Options beside a cache of so many keys, and what they are without one. */
function forms(heads: number, rows: number, keys: number): Record<string, AttentionOptions> {
  const offset = { queryOffset: keys - rows }
  return {
    dense: {},
    causal: { causal: true, ...offset },
    window: { window: { left: 40, right: 3 }, ...offset },
    'causal window': { causal: true, window: { left: 140 }, ...offset },
    'top-left': { causal: 'top-left' },
    alibi: { alibi: true, ...offset },
    'softcap, sinks': { softcap: 3, sinks: fillNormal(random(3), heads) },
    'keep, left pad': { keep: maskOf(1, [heads, rows, keys]), leftPad: new Int32Array(SIZES.length).fill(5) },
    bias: { bias: { data: fillNormal(random(2), rows * keys), dims: [rows, keys] } },
  }
}

describe.each(namedPlatforms)('%s', (_, platform) => {
  const api = platform.open()

  for (const sizes of SIZES) {
    const each = [1, 5, 16, 17, 40].flatMap(rows => TYPES.map(type => [type, rows] as const))
    test.each(each)(`${nameOf(sizes)} %s: %i rows on 300 keys, every option`, (type, rows) => {
      const { cache, model } = filled(sizesOf(sizes), 300, [100, 1, 129], 7, type)
      const how = { type, backend: platform.backend, rows }
      const { k, v } = model.dense()
      const q = queries(rows, sizes.batch, sizes.heads, rows, sizes.headDim)
      for (const [name, options] of Object.entries(forms(sizes.heads, rows, 300))) {
        const given = {
          ...options,
          ...(options.leftPad && { leftPad: options.leftPad.subarray(0, sizes.batch) }),
        }
        const plain = api.attention(q, k, v, given)
        expect(sameAttention(name, api.attention(q, cache, given), plain, how)).toBeUndefined()
        // The cache knows where its last tokens stand.
        const { queryOffset, ...without } = given
        const own = api.attention(q, cache, without)
        expect(sameAttention(`${name}, own offset`, own, plain, how)).toBeUndefined()
      }
    })

    test(`${nameOf(sizes)}: prefill in chunks of more than 16 rows gives the bits of the whole`, () => {
      const whole = new Model(sizesOf(sizes))
      const all = whole.draw(random(5), 290)
      const q = queries(6, sizes.batch, sizes.heads, 290, sizes.headDim)
      const want = api.attention(q, all.k, all.v, { causal: true })
      for (const size of [17, 64, 130]) {
        const cache = new KvCache(sizesOf(sizes))
        for (let from = 0; from < 290; ) {
          const to = 290 - from < size + 17 ? 290 : from + size
          cache.append(rowsOf(all.k, from, to), rowsOf(all.v, from, to))
          const got = api.attention(rowsOf(q, from, to), cache, { causal: true })
          expect(bits(`rows ${from} to ${to}`, got, rowsOf(want, from, to))).toBeUndefined()
          from = to
        }
      }
    })

    test.each(TYPES)(`${nameOf(sizes)} %s: token by token, within the budget of the whole`, type => {
      const whole = new Model(sizesOf(sizes), type)
      const all = whole.draw(random(8), 140)
      const { k, v } = whole.dense()
      const q = queries(9, sizes.batch, sizes.heads, 140, sizes.headDim)
      const truth = oracle(q as OracleTensor, k as OracleTensor, v as OracleTensor, { causal: true })
      const cache = new KvCache({ ...sizesOf(sizes), type })
      const got = new Float32Array(truth.exact.output.length)
      for (let i = 0; i < 140; i++) {
        cache.append(rowsOf(all.k, i, i + 1), rowsOf(all.v, i, i + 1))
        const row = api.attention(rowsOf(q, i, i + 1), cache, { causal: true })
        for (let n = 0; n < sizes.batch * sizes.heads; n++) {
          const { valueDim } = sizes
          const part = row.data.subarray(n * valueDim, (n + 1) * valueDim)
          got.set(part as Float32Array, (n * 140 + i) * valueDim)
        }
      }
      expect(compare('output', got, outputTruth(truth))).toBeUndefined()
    })
  }

  test('items of different lengths: every item as if it were alone', () => {
    const sizes = { batch: 4, kvHeads: 2, headDim: 12, valueDim: 9 }
    const model = new Model(sizes)
    const cache = new KvCache(sizes)
    const source = random(11)
    for (const lengths of [
      [130, 0, 7, 20],
      [1, 0, 20, 19],
      [0, 0, 20, 3],
    ]) {
      const { k, v } = model.draw(source, 130, lengths)
      cache.append(k, v, { lengths: Int32Array.from(lengths) })
      expect([...cache.lengths]).toEqual(model.lengths)
      expect(cache.length).toBe(model.length)
      checkItems(api, cache, model)
    }
  })

  test('a batch in other layouts: append and queries, heads last and in one width', () => {
    const sizes = { batch: 2, kvHeads: 2, headDim: 8, valueDim: 5 }
    const model = new Model(sizes)
    const cache = new KvCache(sizes)
    const bshd = model.draw(random(12), 19, undefined, 'bshd')
    cache.append(bshd.k, bshd.v, { layout: 'bshd' })
    const three = model.draw(random(13), 150, undefined, 'bshd')
    cache.append({ ...three.k, dims: [2, 150, 16] }, { ...three.v, dims: [2, 150, 10] })
    const { k, v } = model.dense()
    const q = queries(14, 2, 4, 3, 8)
    const want = api.attention(q, k, v)
    expect(bits('rank 4', api.attention(q, cache), want)).toBeUndefined()
    const turned = { data: turn(q, 8), dims: [2, 3, 4, 8] }
    const out = api.attention(turned, cache, { layout: 'bshd' })
    expect(out.dims).toEqual([2, 3, 4, 5])
    expect(compareBits('bshd', out.data as Float32Array, turn(want, 5))).toBeUndefined()
    const wide = api.attention({ data: turned.data, dims: [2, 3, 32] }, cache, { heads: 4 })
    expect(wide.dims).toEqual([2, 3, 20])
    expect(bits('rank 3', wide, out)).toBeUndefined()
  })

  test('one head without axes for it', () => {
    const cache = new KvCache({ kvHeads: 1, headDim: 8 })
    const t = { data: fillNormal(random(15), 9 * 8), dims: [9, 8] }
    cache.append(t, t)
    expect(
      bits('rank 2', api.attention(t, cache, { causal: true }), api.attention(t, t, t, { causal: true })),
    )
  })

  test('stale numbers behind the tokens change nothing', () => {
    const sizes = { batch: 1, kvHeads: 2, headDim: 16, valueDim: 16 }
    const { cache, model } = filled(sizes, 150, [150])
    const junk = { data: new Float32Array(2 * 90 * 16).fill(Number.NaN), dims: [1, 2, 90, 16] }
    cache.append(junk, junk)
    cache.truncate(150)
    const { k, v } = model.dense()
    for (const rows of [1, 20]) {
      const q = queries(16, 1, 4, rows, 16)
      expect(bits(`${rows} rows`, api.attention(q, cache), api.attention(q, k, v))).toBeUndefined()
    }
  })

  test('an empty cache, and more rows than tokens: rows before the first token are empty', () => {
    const sizes = { batch: 1, kvHeads: 1, headDim: 8, valueDim: 8 }
    const cache = new KvCache(sizes)
    const q = queries(17, 1, 2, 5, 8)
    for (const options of [{}, { causal: true }] as const) {
      const { output, lse } = api.attentionPartial(q, cache, options)
      expect(output.data.every(x => x === 0)).toBe(true)
      expect(lse.data.every(x => x === Number.NEGATIVE_INFINITY)).toBe(true)
    }
    const { k, v } = new Model(sizes).draw(random(18), 3)
    cache.append(k, v)
    const got = api.attention(q, cache, { causal: true })
    expect(bits('bottom-right', got, api.attention(q, k, v, { causal: 'bottom-right' }))).toBeUndefined()
  })

  test('into out, and query lengths per item', () => {
    const sizes = { batch: 2, kvHeads: 1, headDim: 8, valueDim: 8 }
    const model = new Model(sizes)
    const { k, v } = model.draw(random(19), 6, [6, 4])
    const cache = new KvCache(sizes)
    cache.append(k, v, { lengths: Int32Array.of(6, 4) })
    const q = queries(20, 2, 2, 6, 8)
    const out = { data: new Float32Array(2 * 2 * 6 * 8).fill(7), dims: [2, 2, 6, 8] }
    const options = { causal: true, queryLengths: Int32Array.of(6, 4) } as const
    expect(api.attention(q, cache, { ...options, out })).toBe(out)
    const plain = { ...options, queryOffset: 0, keyLengths: Int32Array.of(6, 4) }
    const dense = model.dense()
    expect(bits('output', out, api.attention(q, dense.k, dense.v, plain))).toBeUndefined()
  })
})

/** [batch, heads, rows, channels] to [batch, rows, heads, channels]. */
function turn({ data, dims }: Tensor, channels: number): Float32Array {
  const [, heads, rows] = dims
  return Float32Array.from(data, (_, at) => {
    const c = at % channels
    const h = Math.floor(at / channels) % heads
    const i = Math.floor(at / (channels * heads)) % rows
    const b = Math.floor(at / (channels * heads * rows))
    return data[((b * heads + h) * rows + i) * channels + c]
  })
}

function checkItems(api: Attention, cache: KvCache, model: Model): void {
  const { batch, kvHeads, headDim } = model.sizes
  const heads = 2 * kvHeads
  const { k, v } = model.dense()
  const keyLengths = Int32Array.from(model.lengths)
  for (const rows of [1, 18]) {
    const q = queries(rows, batch, heads, rows, headDim)
    const queryOffset = keyLengths.map(length => length - rows)
    const plain = api.attention(q, k, v, { causal: true, queryOffset, keyLengths })
    expect(bits(`${rows} rows`, api.attention(q, cache, { causal: true }), plain)).toBeUndefined()
    expect(bits('dense', api.attention(q, cache), api.attention(q, k, v, { keyLengths }))).toBeUndefined()
  }
}
