/**
 * Parts over any split of the keys: any number of them, empty ones, keys that lie in no one piece, caches.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, Partial, Tensor } from '../src/index.ts'
import { KvCache, mergePartials } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions, OracleTensor } from './oracle/types.ts'
import { rowsOf } from './support/cache-model.ts'
import { lseTruth, outputTruth } from './support/check.ts'
import { compare } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random, SEED } from './support/random.ts'
import './support/replay.ts'

const HEADS = 4
const ROWS = 19
const KEYS = 75
const source = random(51)
const tensor = (heads: number, rows: number, channels: number): Tensor => ({
  data: fillNormal(source, heads * rows * channels),
  dims: [1, heads, rows, channels],
})
const q = tensor(HEADS, ROWS, 8)
const k = tensor(2, KEYS, 8)
const v = tensor(2, KEYS, 5)
const SINKS = fillNormal(source, HEADS)
const OPTIONS = { softcap: 3, alibi: true, queryOffset: KEYS - ROWS } as const

const truthOf = (options: OracleOptions) =>
  oracle(q as OracleTensor, k as OracleTensor, v as OracleTensor, options)
const TRUTHS = {
  plain: truthOf({ sinks: SINKS }),
  options: truthOf({ ...OPTIONS, sinks: SINKS }),
}

function check(parts: Partial[], truth: ReturnType<typeof truthOf>): void {
  const merged = mergePartials(parts, { sinks: SINKS })
  expect(compare('output', merged.output.data, outputTruth(truth))).toBeUndefined()
  expect(compare('lse', merged.lse.data, lseTruth(truth))).toBeUndefined()
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test('keys dealt to any number of parts, one by one', () => {
    const dealt = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.nat(), { minLength: KEYS, maxLength: KEYS }),
    )
    fc.assert(
      fc.property(dealt, ([count, hands]) => {
        const parts = Array.from({ length: count }, (_part, n) => {
          const data = Uint8Array.from(hands, hand => (hand % count === n ? 1 : 0))
          return api.attentionPartial(q, k, v, { ...OPTIONS, keep: { data, dims: [KEYS] } })
        })
        check(parts, TRUTHS.options)
      }),
      { numRuns: 20, seed: SEED },
    )
  })

  test('cuts anywhere, also twice in one place', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(KEYS), { maxLength: 12 }), inner => {
        const cuts = [0, ...inner, KEYS].sort((a, b) => a - b)
        const parts = cuts.slice(1).map((to, n) => {
          const from = cuts[n]
          const options: AttentionOptions = { ...OPTIONS, queryOffset: OPTIONS.queryOffset - from }
          return api.attentionPartial(q, rowsOf(k, from, to), rowsOf(v, from, to), options)
        })
        check(parts, TRUTHS.options)
      }),
      { numRuns: 20, seed: SEED },
    )
  })

  test('a part for every key, and as many empty ones', () => {
    const parts = Array.from({ length: 2 * KEYS }, (_part, n) => {
      const from = n >> 1
      const to = from + (n & 1)
      return api.attentionPartial(q, rowsOf(k, from, to), rowsOf(v, from, to))
    })
    expect(parts[0].lse.data.every(x => x === Number.NEGATIVE_INFINITY)).toBe(true)
    check(parts, TRUTHS.plain)
    const none = mergePartials(parts.filter((_part, n) => n % 2 === 0))
    expect(none.output.data.every(x => x === 0)).toBe(true)
    expect(none.lse.data.every(x => x === Number.NEGATIVE_INFINITY)).toBe(true)
  })

  test('caches, an empty one among them, beside tensors', () => {
    const caches = [0, 40].map(count => {
      const cache = new KvCache({ kvHeads: 2, headDim: 8, valueDim: 5 })
      cache.append(rowsOf(k, 0, count), rowsOf(v, 0, count))
      return cache
    })
    const rest = api.attentionPartial(q, rowsOf(k, 40, KEYS), rowsOf(v, 40, KEYS), { layout: 'bhsd' })
    check([...caches.map(cache => api.attentionPartial(q, cache)), rest], TRUTHS.plain)
  })

  test('no query rows, and no items', () => {
    const rows = api.attentionPartial(rowsOf(q, 0, 0), k, v)
    expect(mergePartials([rows, rows]).output.dims).toEqual([1, HEADS, 0, 5])
    const t = { data: new Float32Array(0), dims: [0, 2, 3, 8] }
    const items = api.attentionPartial(t, t, t)
    expect(mergePartials([items, items]).lse.dims).toEqual([0, 2, 3])
  })

  test('float16 queries, keys and values: parts are float32', () => {
    const zero = (rows: number): Tensor => ({
      data: new Uint16Array(rows * 8),
      dims: [rows, 8],
      type: 'float16',
    })
    const part = api.attentionPartial(zero(3), zero(4), zero(4))
    expect(part).toMatchObject({ output: { type: 'float32' }, lse: { type: 'float32' } })
    expect(mergePartials([part, part]).lse.data[0]).toBeCloseTo(Math.log(8), 6)
  })
})
