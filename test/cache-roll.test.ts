/**
 * A rolling cache: what a window and sink tokens show, whatever the pieces in which the tokens came, in bounded memory.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { PAGE_KEYS } from '../src/attention/plan.ts'
import type { Attention, KvCacheOptions } from '../src/index.ts'
import { KvCache } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions, OracleResult, OracleTensor } from './oracle/types.ts'
import { Model, queries, rowsOf } from './support/cache-model.ts'
import { outputTruth } from './support/check.ts'
import { compare, compareBits, type Truth } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { thrownBy } from './support/refusals.ts'
import './support/replay.ts'

const TOKENS = 480
const HEADS = 4
const SIZES = { batch: 1, kvHeads: 2, headDim: 8, valueDim: 6 }
const PAGE_BYTES = PAGE_KEYS * SIZES.kvHeads * (SIZES.headDim + SIZES.valueDim) * 4

/** Every token at once, and the queries of all of them. */
const all = new Model(SIZES).draw(random(31), TOKENS)
const q = queries(32, 1, HEADS, TOKENS, SIZES.headDim)

/** The keys that a query at a position sees, one by one. */
function keepOf(window: number, sinkTokens: number, causal: boolean): OracleTensor {
  const data = new Uint8Array(TOKENS * TOKENS)
  for (let p = 0; p < TOKENS; p++) {
    for (let j = 0; j < TOKENS; j++)
      data[p * TOKENS + j] = (j < sinkTokens || p - window < j) && (!causal || j <= p) ? 1 : 0
  }
  return { data, dims: [TOKENS, TOKENS] }
}

function truthOf(window: number, sinkTokens: number, options: OracleOptions): OracleResult {
  const [first, k, v] = [q, all.k, all.v] as OracleTensor[]
  return oracle(first, k, v, { ...options, keep: keepOf(window, sinkTokens, true) })
}

/** The whole sequence through a cache, in pieces that repeat. */
function through(api: Attention, options: KvCacheOptions, pieces: number[], call: object): Float32Array {
  const cache = new KvCache(options)
  const got = new Float32Array(HEADS * TOKENS * SIZES.valueDim)
  for (let from = 0, n = 0; from < TOKENS; n++) {
    const to = Math.min(TOKENS, from + pieces[n % pieces.length])
    cache.append(rowsOf(all.k, from, to), rowsOf(all.v, from, to))
    const part = api.attention(rowsOf(q, from, to), cache, { causal: true, ...call }).data as Float32Array
    const width = (to - from) * SIZES.valueDim
    for (let h = 0; h < HEADS; h++)
      got.set(part.subarray(h * width, (h + 1) * width), (h * TOKENS + from) * SIZES.valueDim)
    from = to
  }
  return got
}

const CASES = [
  { window: 1, sinkTokens: 0 },
  { window: 1, sinkTokens: 3 },
  { window: 40, sinkTokens: 4 },
  { window: PAGE_KEYS, sinkTokens: 0 },
  { window: 129, sinkTokens: PAGE_KEYS },
  { window: 200, sinkTokens: 130 },
  { window: 5000, sinkTokens: 7 },
]
const PIECES = [[1], [17], [16, 1, 40], [PAGE_KEYS], [PAGE_KEYS + 1, 5], [1, 300], [TOKENS]]

const truths = CASES.map(({ window, sinkTokens }) => truthOf(window, sinkTokens, {}))
const OPTIONS = { alibi: true, softcap: 4, sinks: fillNormal(random(33), HEADS) } as const
const withOptions = truthOf(40, 4, OPTIONS)

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  for (const [n, rolling] of CASES.entries()) {
    test.each(PIECES.map(pieces => [pieces.join(', '), pieces] as const))(
      `window ${rolling.window}, ${rolling.sinkTokens} sink tokens, in pieces of %s`,
      (_name, pieces) => {
        const got = through(api, { ...SIZES, ...rolling }, [...pieces], {})
        expect(compare('output', got, outputTruth(truths[n]))).toBeUndefined()
      },
    )
  }

  test.each([[1], [19, 2], [150]])('beside ALiBi, softcap and sinks, in pieces of %s', (...pieces) => {
    const got = through(api, { ...SIZES, window: 40, sinkTokens: 4 }, pieces, OPTIONS)
    expect(compare('output', got, outputTruth(withOptions))).toBeUndefined()
  })

  test('pieces of more than 16 rows give the same bits', () => {
    const options = { ...SIZES, window: 150, sinkTokens: 5 }
    const whole = through(api, options, [TOKENS], {})
    for (const pieces of [[17, 31], [128], [100]]) {
      const got = through(api, options, pieces, {})
      expect(compareBits(`pieces of ${pieces}`, got, whole)).toBeUndefined()
    }
  })

  test('masks and weights keep their absolute keys; what is gone has no weight', () => {
    const rolling = { window: 90, sinkTokens: 2 }
    const cache = new KvCache({ ...SIZES, ...rolling })
    for (let from = 0; from < TOKENS; from += 20)
      cache.append(rowsOf(all.k, from, from + 20), rowsOf(all.v, from, from + 20))
    const rows = rowsOf(q, TOKENS - 20, TOKENS)
    const source = random(34)
    const drop = { data: Uint8Array.from({ length: TOKENS }, () => source.below(3)), dims: [TOKENS] }
    const want = ['weights', 'scores', 'mass'] as const
    const got = api.attentionWeights(rows, cache, { causal: true, drop, want })
    expect(got.weights!.dims).toEqual([1, HEADS, 20, TOKENS])
    const keep = keepOf(rolling.window, rolling.sinkTokens, true)
    const last = { data: (keep.data as Uint8Array).slice((TOKENS - 20) * TOKENS), dims: [20, TOKENS] }
    const [first, k, v] = [rows, all.k, all.v] as OracleTensor[]
    const truth = oracle(first, k, v, { keep: last, drop })
    const weights: Truth = {
      exact: truth.exact.weights,
      naive: truth.naive.map(way => way.weights),
      scale: truth.weightsScale,
    }
    expect(compare('weights', got.weights!.data, weights)).toBeUndefined()
    expect(got.mass!.data.slice(2, TOKENS - 110).every(x => x === 0)).toBe(true)
    for (let at = 0; at < got.scores!.data.length; at++)
      expect(got.scores!.data[at] === Number.NEGATIVE_INFINITY).toBe(truth.exact.weights[at] === 0)
  })

  test('without causal the later keys stay visible', () => {
    const cache = new KvCache({ ...SIZES, window: 64, sinkTokens: 2 })
    for (let from = 0; from < TOKENS; from += 120)
      cache.append(rowsOf(all.k, from, from + 120), rowsOf(all.v, from, from + 120))
    const got = api.attention(rowsOf(q, TOKENS - 120, TOKENS), cache)
    const keep = keepOf(64, 2, false)
    const last = { data: (keep.data as Uint8Array).slice((TOKENS - 120) * TOKENS), dims: [120, TOKENS] }
    const [first, k, v] = [rowsOf(q, TOKENS - 120, TOKENS), all.k, all.v] as OracleTensor[]
    expect(compare('output', got.data, outputTruth(oracle(first, k, v, { keep: last })))).toBeUndefined()
  })

  test('plan() counts window and sink tokens', () => {
    const cache = new KvCache({ ...SIZES, window: 64, sinkTokens: 4 })
    cache.append(all.k, all.v)
    const plan = api.plan(rowsOf(q, TOKENS - 10, TOKENS), cache, { causal: true })
    expect(plan.pairs).toBe(HEADS * 10 * (64 + 4))
    expect(plan.bytes).toBe(4 * (10 * HEADS * 14 + (64 + 9 + 4) * SIZES.kvHeads * 14))
    expect(plan.missing).toEqual([])
  })
})

describe('memory', () => {
  test('20,000 tokens one by one take the pages of the window and the sink tokens', () => {
    const window = 300
    const cache = new KvCache({ ...SIZES, window, sinkTokens: 5, maxBytes: 5 * PAGE_BYTES })
    for (let n = 0; n < 20_000; n++) {
      const at = n % TOKENS
      cache.append(rowsOf(all.k, at, at + 1), rowsOf(all.v, at, at + 1))
      // A window of 300 touches three pages at most, and a fourth while it moves on, the sink tokens one.
      expect(cache.bytes).toBeLessThanOrEqual(5 * PAGE_BYTES)
    }
    expect(cache.length).toBe(20_000)
  })

  test('a long append stays until the next one', () => {
    const cache = new KvCache({ ...SIZES, window: 10, sinkTokens: 1 })
    cache.append(all.k, all.v)
    cache.append(all.k, all.v)
    expect(cache.bytes).toBe(4 * PAGE_BYTES)
    cache.append(rowsOf(all.k, 0, 1), rowsOf(all.v, 0, 1))
    expect(cache.bytes).toBe(2 * PAGE_BYTES)
  })

  test('only the items that grow roll', () => {
    const sizes = { ...SIZES, batch: 2 }
    const model = new Model(sizes)
    const cache = new KvCache({ ...sizes, window: 10 })
    const { k, v } = model.draw(random(35), 900)
    cache.append(k, v)
    expect(cache.bytes).toBe(8 * PAGE_BYTES)
    const more = model.draw(random(36), 1, [0, 1])
    cache.append(more.k, more.v, { lengths: Int32Array.of(0, 1) })
    expect(cache.bytes).toBe(5 * PAGE_BYTES)
    cache.truncate(Int32Array.of(11, 901))
    expect(() => cache.truncate(Int32Array.of(11, 11))).toThrow(/^length/)
  })
})

describe('what has been given back', () => {
  const api = platform()
  const rolled = (sinkTokens: number) => {
    const cache = new KvCache({ ...SIZES, window: 50, sinkTokens })
    for (let from = 0; from < 400; from += 100)
      cache.append(rowsOf(all.k, from, from + 100), rowsOf(all.v, from, from + 100))
    return cache
  }

  test('rows that would see it are refused, by the argument that put them there', () => {
    const cache = rolled(3)
    // The last append began at 300, whose window begins at 251.
    expect(api.attention(rowsOf(q, 300, 400), cache, { causal: true }).dims).toEqual([1, 4, 100, 6])
    const many = thrownBy(() => api.attention(rowsOf(q, 299, 400), cache, { causal: true }))
    expect(many).toBeInstanceOf(RangeError)
    expect(many.message).toMatch(/^q\.dims: .*251.*row 0, which sees keys from 250/)
    const moved = thrownBy(() =>
      api.attention(rowsOf(q, 299, 300), cache, { causal: true, queryOffset: 299 }),
    )
    expect(moved.message).toMatch(/^queryOffset: .*251/)
    // Rows far before see the sink tokens alone, and those are there.
    const early = api.attention(rowsOf(q, 0, 2), cache, { causal: true, queryOffset: 1 })
    expect(early.data.every(Number.isFinite)).toBe(true)
  })

  test('truncate goes back as far as the window of the next token, or to the sink tokens', () => {
    expect(() => rolled(3).truncate(300)).not.toThrow()
    const error = thrownBy(() => rolled(3).truncate(299))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toMatch(/^length: .*at least 300.*window.*251/)
    expect(() => rolled(3).truncate(4)).toThrow(/^length/)
    const cache = rolled(3)
    cache.truncate(3)
    expect(cache.bytes).toBe(PAGE_BYTES)
    cache.append(rowsOf(all.k, 3, 103), rowsOf(all.v, 3, 103))
    const got = api.attention(rowsOf(q, 3, 103), cache, { causal: true }).data as Float32Array
    const fresh = new KvCache({ ...SIZES, window: 50, sinkTokens: 3 })
    fresh.append(rowsOf(all.k, 0, 103), rowsOf(all.v, 0, 103))
    const want = api.attention(rowsOf(q, 3, 103), fresh, { causal: true }).data as Float32Array
    expect(compareBits('after truncate(3)', got, want)).toBeUndefined()
  })

  test('scores before the masks want every key', () => {
    const cache = rolled(0)
    const look = (scoresAt: 'scaled' | 'masked') =>
      api.attentionWeights(rowsOf(q, 300, 400), cache, { want: ['scores'], scoresAt, causal: true })
    expect(look('masked').scores!.dims).toEqual([1, 4, 100, 400])
    expect(() => look('scaled')).toThrow(/^scoresAt: .*rolling/)
  })

  test('its own window and sink tokens can be read, and none other be given', () => {
    const cache = rolled(3)
    expect(cache).toMatchObject({ window: 50, sinkTokens: 3 })
    expect(() => api.attention(rowsOf(q, 399, 400), cache, { window: { left: 3 } })).toThrow(
      /^window: .*rolling/,
    )
  })
})

function platform(): Attention {
  return namedKernels[namedKernels.length - 1][1].open()
}
