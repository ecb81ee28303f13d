/**
 * What float16 and int8 make of numbers, what they refuse, and few query rows over long caches of each type, against
 * the oracle on the numbers that are stored.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, Tensor } from '../src/index.ts'
import { KvCache, load } from '../src/index.ts'
import { decodeFloat16, encodeFloat16, roundFloat16 } from './oracle/half.ts'
import { roundInt8, scaleOfRow } from './oracle/int8.ts'
import { oracle } from './oracle/oracle.ts'
import { rounded } from './support/cache-model.ts'
import { buildCall } from './support/cases.ts'
import { outputTruth } from './support/check.ts'
import { compare, compareBits, type Truth } from './support/compare.ts'
import { decodeCases } from './support/decode-cases.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { thrownBy } from './support/refusals.ts'
import './support/replay.ts'

const STORED = ['float16', 'int8'] as const
const reference = load({ backend: 'reference' })

/** Without what a cache has of its own; the types take turns. */
const CASES = decodeCases()
  .filter(({ name }) => !name.includes('lengths'))
  .map((c, n) => ({ ...c, type: STORED[n % 2], few: n % 5 > 0 }))
const each = CASES.flatMap(c =>
  namedKernels
    // Those that run one number at a time get the smaller part.
    .filter(([, { slow }]) => !(slow && c.few))
    .map(([name, platform]) => [c.type, c.name, name, c, platform] as const),
)

/** Of the latest case, which platforms share. */
let prepared:
  | { readonly of: object; readonly truth: Truth; readonly q: Tensor; readonly cache: KvCache }
  | undefined

function prepare(c: (typeof CASES)[number]): NonNullable<typeof prepared> {
  if (prepared?.of === c) return prepared
  const { q, k, v, options } = buildCall(c)
  const cache = new KvCache({ kvHeads: c.kvHeads, headDim: c.headDim, valueDim: c.valueDim, type: c.type })
  cache.append(k, v)
  const stored = (tensor: { data: Float32Array; dims: readonly number[] }, channels: number) => ({
    ...tensor,
    data: rounded(c.type, tensor.data, channels),
  })
  const truth = outputTruth(oracle(q, stored(k, c.headDim), stored(v, c.valueDim), options))
  prepared = { of: c, truth, q, cache }
  return prepared
}

test.each(each)('%s %s > %s', (_type, _case, _name, c, platform) => {
  const { truth, q, cache } = prepare(c)
  const options = buildCall(c).options as AttentionOptions
  expect(compare('output', platform.open().attention(q, cache, options).data, truth)).toBeUndefined()
})

/** The numbers that a cache holds of one row, seen as the value of its only key. */
function held(row: Float32Array, type: 'float16' | 'int8', api = reference): Float32Array {
  const cache = new KvCache({ kvHeads: 1, headDim: 1, valueDim: row.length, type })
  cache.append({ data: Float32Array.of(1), dims: [1, 1] }, { data: row, dims: [1, row.length] })
  return api.attention({ data: Float32Array.of(1), dims: [1, 1] }, cache).data as Float32Array
}

const rowOf = (seed: number, size: number, factor = 1): Float32Array =>
  fillNormal(random(seed), size).map(x => x * factor)

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test.each([1, 3, 16, 37, 128])('float16 has the nearest number, ties to even: %i channels', size => {
    for (const factor of [1, 1e-3, 1e-7, 1e4]) {
      const row = rowOf(size, size, factor)
      expect(compareBits('row', held(row, 'float16', api), row.map(roundFloat16))).toBeUndefined()
    }
    const ties = Float32Array.of(2049, 2051, -4098, 65519.996, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -11)
    const want = Float32Array.of(2048, 2052, -4096, 65504, 0, 2 ** -23, 1)
    expect(compareBits('ties', held(ties, 'float16', api), want)).toBeUndefined()
  })

  test.each([1, 3, 16, 37, 128])('int8 has the nearest code times the scale: %i channels', size => {
    for (const factor of [1, 1e-3, 1e-30, 1e30, 1e38 / 8]) {
      const row = rowOf(size + 1, size, factor)
      expect(compareBits('row', held(row, 'int8', api), Float32Array.from(roundInt8(row)))).toBeUndefined()
    }
  })

  test('a float16 cache takes float16 tokens as they are, and float16 queries', () => {
    const sizes = { kvHeads: 2, headDim: 16, valueDim: 16 }
    const bits = (seed: number, heads: number, rows: number): Tensor => ({
      data: Uint16Array.from(rowOf(seed, heads * rows * 16), encodeFloat16),
      dims: [1, heads, rows, 16],
      type: 'float16',
    })
    const numbers = ({ data, dims }: Tensor): Tensor => ({
      data: Float32Array.from(data, decodeFloat16),
      dims,
    })
    const [k, v] = [bits(1, 2, 300), bits(2, 2, 300)]
    const caches = [
      [k, v],
      [numbers(k), numbers(v)],
    ].map(([keys, values]) => {
      const cache = new KvCache({ ...sizes, type: 'float16' })
      cache.append(keys, values)
      return cache
    })
    expect(caches[1].snapshot()).toEqual(caches[0].snapshot())
    for (const rows of [2, 20]) {
      const q = bits(3, 4, rows)
      const half = api.attention(q, caches[0])
      expect(half.type).toBe('float16')
      expect(half).toEqual(api.attention(q, k, v))
      const single = api.attention(numbers(q), caches[0])
      expect(single.type).toBe('float32')
      expect(half.data).toEqual(Uint16Array.from(single.data, encodeFloat16))
    }
  })

  test('NaN and infinity of float16 reach who attends to them, and nobody else', () => {
    const cache = new KvCache({ kvHeads: 1, headDim: 16, type: 'float16' })
    const k = { data: rowOf(4, 80 * 16), dims: [1, 1, 80, 16] }
    const v = { data: rowOf(5, 80 * 16), dims: k.dims }
    v.data[70 * 16] = Number.NaN
    v.data[70 * 16 + 1] = Number.POSITIVE_INFINITY
    cache.append(k, v)
    const q = { data: rowOf(6, 2 * 16), dims: [1, 1, 2, 16] }
    const drop = { data: new Uint8Array(2 * 80), dims: [2, 80] }
    drop.data[70] = 1
    const [first, second] = [0, 16].map(at => api.attention(q, cache, { drop }).data.slice(at, at + 16))
    expect([...first].every(Number.isFinite)).toBe(true)
    expect([second[0], second[1]]).toEqual([Number.NaN, Number.POSITIVE_INFINITY])
    expect([...second.subarray(2)].every(Number.isFinite)).toBe(true)
  })
})

describe('errors of storing', () => {
  test('float16: half a unit in the last place; int8: 1/254 of the largest of a row', () => {
    for (let seed = 0; seed < 200; seed++) {
      const row = rowOf(seed, 1 + (seed % 70), 10 ** ((seed % 9) - 4))
      const largest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      for (const [at, x] of held(row, 'int8').entries())
        expect(Math.abs(x - row[at])).toBeLessThanOrEqual(largest / 254 + 2 ** -126)
      for (const [at, x] of held(row, 'float16').entries())
        expect(Math.abs(x - row[at])).toBeLessThanOrEqual(Math.max(Math.abs(row[at]) * 2 ** -11, 2 ** -25))
    }
  })

  test('storing what a cache holds changes nothing', () => {
    for (const type of STORED) {
      const once = held(rowOf(7, 90), type)
      expect(compareBits(type, held(once, type), once)).toBeUndefined()
    }
  })

  test('rows of zeros, of one number, and of the largest and the smallest numbers', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    for (const row of [[0, 0], [-3], [most, -most, 1], [2 ** -149, 0], [2 ** -126, -(2 ** -130)]]) {
      const got = held(Float32Array.from(row), 'int8')
      expect([...got].every(Number.isFinite)).toBe(true)
      expect(compareBits(`${row}`, got, Float32Array.from(roundInt8(row)))).toBeUndefined()
      expect(Math.abs(got[0] - row[0])).toBeLessThanOrEqual(Math.abs(row[0]) / 254 + 2 ** -126)
    }
    expect(scaleOfRow([0, 0])).toBe(2 ** -126)
  })

  // N(0, 1), 4096 keys of 128 channels: what README states.
  test('of attention, relative to the largest output of a row', () => {
    const k = { data: rowOf(8, 4096 * 128), dims: [1, 1, 4096, 128] }
    const v = { data: rowOf(9, 4096 * 128), dims: k.dims }
    const q = { data: rowOf(10, 4 * 128), dims: [1, 4, 1, 128] }
    const exact = reference.attention(q, k, v).data
    const errorOf = (type: (typeof STORED)[number]): number => {
      const cache = new KvCache({ kvHeads: 1, headDim: 128, type })
      cache.append(k, v)
      const got = reference.attention(q, cache).data
      let worst = 0
      for (let row = 0; row < 4; row++) {
        const own = Array.from(exact.subarray(row * 128, (row + 1) * 128))
        const largest = Math.max(...own.map(Math.abs))
        for (const [c, x] of own.entries())
          worst = Math.max(worst, Math.abs(got[row * 128 + c] - x) / largest)
      }
      return worst
    }
    expect(errorOf('float16')).toBeLessThan(5e-4)
    expect(errorOf('int8')).toBeLessThan(2e-2)
  })
})

describe('what a type cannot hold', () => {
  const append = (
    type: (typeof STORED)[number],
    x: number,
    at: number,
    side: 'k' | 'v',
    lengths?: Int32Array,
  ) => {
    const cache = new KvCache({ batch: 2, kvHeads: 2, headDim: 4, type })
    const tensor = () => ({ data: new Float32Array(2 * 2 * 3 * 4).fill(1), dims: [2, 2, 3, 4] })
    const [k, v] = [tensor(), tensor()]
    const whole = { ...(side === 'k' ? k : v) }
    whole.data[at] = x
    cache.append(tensor(), tensor())
    const before = cache.snapshot()
    const call = () => cache.append(k, v, lengths && { lengths })
    return { call, unchanged: () => expect(cache.snapshot()).toEqual(before), cache }
  }

  test.each([
    ['int8', Number.NaN, 'k', 5, /^k\.data\[5\]: .*finite.*int8.*NaN/],
    ['int8', Number.POSITIVE_INFINITY, 'v', 47, /^v\.data\[47\]: .*finite.*Infinity/],
    ['int8', Number.NEGATIVE_INFINITY, 'k', 0, /^k\.data\[0\]: .*-Infinity/],
    ['float16', 65520, 'v', 9, /^v\.data\[9\]: .*float16.*65520/],
    ['float16', -1e9, 'k', 46, /^k\.data\[46\]: .*float16.*-1000000000/],
  ] as const)('%s refuses %d, and nothing has changed', (type, x, side, at, message) => {
    const { call, unchanged } = append(type, x, at, side)
    const error = thrownBy(call)
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toMatch(message)
    unchanged()
  })

  test('float16 holds infinity and NaN', () => {
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, 65519])
      expect(append('float16', x, 7, 'k').call).not.toThrow()
  })

  test('what is not appended may be anything', () => {
    const { call, cache } = append('int8', Number.NaN, 2 * 4 + 1, 'k', Int32Array.of(2, 3))
    expect(call).not.toThrow()
    expect([...cache.lengths]).toEqual([5, 6])
  })

  test('types of tokens and queries', () => {
    const half = (...dims: number[]) => ({
      data: new Uint16Array(dims.reduce((a, b) => a * b, 1)),
      dims,
      type: 'float16',
    })
    const single = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims })
    const of = (type: (typeof STORED)[number]) => new KvCache({ kvHeads: 1, headDim: 4, type })
    const told = (call: () => unknown): string => {
      const error = thrownBy(call)
      expect(error).toBeInstanceOf(TypeError)
      return error.message
    }
    const [h, s] = [half(3, 4), single(3, 4)]
    expect(told(() => of('int8').append(h, h))).toMatch(/^k\.type: expected float32, got "float16"/)
    expect(told(() => of('float16').append({ ...h, type: 'bfloat16' }, h))).toMatch(
      /^k\.type: .*float16 as the cache has, got "bfloat16"/,
    )
    expect(told(() => of('float16').append(h, s))).toMatch(/^v\.type: expected float16, the type of k/)
    expect(told(() => reference.attention(h, of('int8')))).toMatch(
      /^q\.type: expected float32, got "float16"/,
    )
    expect(told(() => reference.attention({ ...h, type: 'bfloat16' }, of('float16')))).toMatch(
      /^q\.type: .*float16 as the cache has, got "bfloat16"/,
    )
  })
})

test('plan() counts the bytes of a type', () => {
  const bytes = (['float32', 'float16', 'int8'] as const).map(type => {
    const cache = new KvCache({ kvHeads: 2, headDim: 8, valueDim: 6, type })
    cache.append(
      { data: new Float32Array(80), dims: [1, 2, 5, 8] },
      { data: new Float32Array(60), dims: [1, 2, 5, 6] },
    )
    return reference.plan({ data: new Float32Array(32), dims: [1, 4, 1, 8] }, cache).bytes
  })
  const rows = 4 * 4 * (8 + 6)
  expect(bytes).toEqual([rows + 10 * 14 * 4, rows + 10 * 14 * 2, rows + 10 * (14 + 2 * 4)])
})
