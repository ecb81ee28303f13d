/**
 * Products below float32 keep the rules of bits and of poison: neither threads, nor neighbours, nor chunks show,
 * and what nobody attends to does not either.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { load } from '../src/index.ts'
import { numbersOf } from './oracle/half.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleTensor } from './oracle/types.ts'
import { compareBits } from './support/compare.ts'
import { build } from './support/fuzz/build.ts'
import { drafts } from './support/fuzz/draft.ts'
import { BOUNDS, exactOutput, hardCall, namedPrecisions, relativeError } from './support/precisions.ts'
import { SEED } from './support/random.ts'
import './support/replay.ts'

type Data = Float32Array
const [HEADS, ROWS, KEYS, DIM] = [2, 90, 560, 24]
const sizes = { heads: HEADS, rows: ROWS, keys: KEYS, headDim: DIM }
const run = (api: Attention, call: ReturnType<typeof hardCall>, options: AttentionOptions): Data =>
  api.attention(call.q as Tensor, call.k as Tensor, call.v as Tensor, options).data as Data

/** Some rows, or keys, of a tensor of one item. */
function cut(t: { data: Data; dims: readonly number[] }, from: number, to: number) {
  const [, heads, rows, dim] = t.dims
  const parts = Array.from({ length: heads }, (_, h) => [
    ...t.data.subarray((h * rows + from) * dim, (h * rows + to) * dim),
  ])
  return { data: Float32Array.from(parts.flat()), dims: [1, heads, to - from, dim] }
}

describe.skipIf(namedPrecisions.length === 0)('bits', () => {
  // One query is far larger than the others, so that lanes of both arithmetics lie side by side.
  const mixed = hardCall('normal', sizes)
  for (let c = 0; c < DIM; c++) mixed.q.data[33 * DIM + c] *= 30
  const options = { causal: true, queryOffset: KEYS - ROWS } as const

  test.each(namedPrecisions)('%s: threads and repeats', (_, platform, precision) => {
    const { backend, isa } = platform
    const many = load({ backend: backend as 'native', ...(isa && { isa }), threads: 2 })
    const call = hardCall('threads', { heads: 6, kvHeads: 2, rows: 700, keys: 700, headDim: 32 })
    const single = run(platform.open(), call, { causal: true, precision })
    expect(compareBits('threads', single, run(many, call, { causal: true, precision }))).toBeUndefined()
    expect(
      compareBits('again', single, run(platform.open(), call, { causal: true, precision })),
    ).toBeUndefined()
  })

  test.each(namedPrecisions)('%s: chunks of the query rows', (_, platform, precision) => {
    const api = platform.open()
    const whole = run(api, mixed, { ...options, precision })
    for (const [from, to] of [
      [0, 40],
      [17, 59],
      [25, 90],
    ]) {
      const part = { ...mixed, q: cut(mixed.q, from, to) }
      const got = run(api, part, { causal: true, queryOffset: KEYS - ROWS + from, precision })
      const expected = cut({ data: whole, dims: mixed.q.dims }, from, to).data
      expect(compareBits(`rows ${from} to ${to}`, got, expected)).toBeUndefined()
    }
  })

  test.each(namedPrecisions)('%s: neighbours in the batch', (_, platform, precision) => {
    const api = platform.open()
    const other = hardCall('a key channel times 20', sizes)
    const both = (a: Data, b: Data, dims: readonly number[]) => ({
      data: Float32Array.from([...a, ...b]),
      dims: [2, ...dims.slice(1)],
    })
    const pair = {
      q: both(mixed.q.data, other.q.data, mixed.q.dims),
      k: both(mixed.k.data, other.k.data, mixed.k.dims),
      v: both(mixed.v.data, other.v.data, mixed.v.dims),
    }
    const got = run(api, pair, { ...options, precision })
    const alone = run(api, mixed, { ...options, precision })
    expect(compareBits('first of two', got.slice(0, alone.length), alone)).toBeUndefined()
  })
})

describe.skipIf(namedPrecisions.length === 0)('poison', () => {
  const clean = hardCall('normal', sizes)
  const poisoned = (keyFrom: number, keyTo: number, poison: number) => {
    const call = hardCall('normal', sizes)
    for (let h = 0; h < HEADS; h++) {
      call.k.data.fill(poison, (h * KEYS + keyFrom) * DIM, (h * KEYS + keyTo) * DIM)
      call.v.data.fill(poison, (h * KEYS + keyFrom) * DIM, (h * KEYS + keyTo) * DIM)
    }
    return call
  }

  for (const poison of [Number.NaN, Number.POSITIVE_INFINITY, 3e38]) {
    test.each(namedPrecisions)(
      `%s: ${poison} outside of all lengths changes no bit`,
      (_, platform, precision) => {
        const options = { keyLengths: Int32Array.of(500), leftPad: Int32Array.of(3), precision }
        const api = platform.open()
        const call = poisoned(500, KEYS, poison)
        call.k.data.fill(poison, 0, 3 * DIM)
        call.v.data.fill(poison, 0, 3 * DIM)
        expect(compareBits('output', run(api, clean, options), run(api, call, options))).toBeUndefined()
      },
    )

    test.each(namedPrecisions)(`%s: ${poison} behind a mask stays there`, (_, platform, precision) => {
      const keep = { data: new Uint8Array(KEYS).fill(1), dims: [1, KEYS] }
      keep.data.fill(0, 250, 260)
      const got = run(platform.open(), poisoned(250, 260, poison), { keep, precision })
      expect(relativeError(got, exactOutput(clean, { keep }))).toBeLessThan(BOUNDS[precision])
    })
  }

  test.each(namedPrecisions)('%s: NaN in an attended key or value shows', (_, platform, precision) => {
    const options = { causal: true, queryOffset: KEYS - ROWS, precision } as const
    const at = KEYS - 20
    const key = hardCall('normal', sizes)
    key.k.data[at * DIM + 5] = Number.NaN
    const value = hardCall('normal', sizes)
    value.v.data[at * DIM + 5] = Number.NaN
    const [ofKey, ofValue] = [key, value].map(call => run(platform.open(), call, options))
    for (let row = 0; row < ROWS; row++) {
      const struck = row >= ROWS - 20
      for (let c = 0; c < DIM; c++) {
        expect(Number.isNaN(ofKey[row * DIM + c])).toBe(struck)
        expect(Number.isNaN(ofValue[row * DIM + c])).toBe(struck && c === 5)
      }
    }
    expect(ofKey.subarray(ROWS * DIM).every(Number.isFinite)).toBe(true)
  })
})

/** Elements of any call may be off by so much of the largest value. */
const LOOSE = { int16: 4e-3, bfloat16: 6e-2, int8: 0.2 }

test.skipIf(namedPrecisions.length === 0)('any call at all', () => {
  const property = fc.property(drafts, draft => {
    const call = build(draft)
    const { output } = oracle(call.q, call.k, call.v, call.options).exact
    const largest = numbersOf(call.v).reduce(
      (most, x) => (Math.abs(x) < 1e3 ? Math.max(most, Math.abs(x)) : most),
      0,
    )
    for (const [name, platform, precision] of namedPrecisions) {
      const [q, k, v] = [call.q, call.k, call.v] as Tensor[]
      const out = platform.open().attention(q, k, v, { ...(call.options as AttentionOptions), precision })
      const got = numbersOf(out as OracleTensor)
      for (let i = 0; i < output.length; i++) {
        const off = Math.abs(got[i] - output[i])
        const fits = Number.isNaN(output[i]) ? Number.isNaN(got[i]) : off <= LOOSE[precision] * largest
        if (!fits) throw new Error(`${name}: output[${i}] is ${got[i]} instead of ${output[i]}`)
      }
    }
  })
  fc.assert(property, { numRuns: 300, seed: SEED })
})
