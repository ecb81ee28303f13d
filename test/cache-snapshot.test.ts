/**
 * Snapshots of a cache: what comes back, and what is refused.
 * @module
 */
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PAGE_KEYS } from '../src/attention/plan.ts'
import { type CacheType, KvCache, load } from '../src/index.ts'
import { bits, filled, Model, queries, rowsOf, TYPES } from './support/cache-model.ts'
import { random, SEED } from './support/random.ts'
import { thrownBy } from './support/refusals.ts'
import './support/replay.ts'

const SIZES = { batch: 2, kvHeads: 2, headDim: 3, valueDim: 2 }
const api = load({ backend: 'reference' })

function uneven(): KvCache {
  const cache = new KvCache(SIZES)
  const { k, v } = new Model(SIZES).draw(random(1), 5)
  cache.append(k, v, { lengths: Int32Array.of(5, 2) })
  return cache
}

/** The same bytes with some words changed and a checksum that fits. */
function forged(bytes: Uint8Array, words: Record<number, number>): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  for (const [at, word] of Object.entries(words)) view.setUint32(Number(at), word, true)
  return sealed(copy)
}

function sealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer)
  view.setFloat64(12, bytes.length, true)
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)), true)
  return bytes
}

/** Where the words of the header stand. */
const AT = { version: 8, type: 20, batch: 24, kvHeads: 28, headDim: 32, valueDim: 36, window: 40, sinks: 44 }
const ITEM = 48

describe('round trip', () => {
  const each = [0, 1, PAGE_KEYS, 300].flatMap(count => TYPES.map(type => [count, type] as const))
  test.each(each)('%i tokens of %s', (count, type) => {
    const { cache } = filled({ ...SIZES, batch: 1 }, count, [90], 7, type)
    const restored = KvCache.from(cache.snapshot())
    expect(restored).toMatchObject({ batch: 1, kvHeads: 2, headDim: 3, valueDim: 2, type })
    expect(restored.length).toBe(count)
    expect(restored.bytes).toBe(cache.bytes)
    const q = queries(2, 1, 4, 2, 3)
    expect(bits('output', api.attention(q, restored), api.attention(q, cache))).toBeUndefined()
    expect(restored.snapshot()).toEqual(cache.snapshot())
  })

  test('items of different lengths, and a life of its own', () => {
    const cache = uneven()
    const restored = KvCache.from(cache.snapshot())
    expect([...restored.lengths]).toEqual([5, 2])
    const { k, v } = new Model(SIZES).draw(random(3), 200)
    for (const one of [cache, restored]) one.append(k, v)
    const q = queries(4, 2, 2, 20, 3)
    const options = { causal: true } as const
    expect(
      bits('output', api.attention(q, restored, options), api.attention(q, cache, options)),
    ).toBeUndefined()
  })

  test.each([
    [40, 0, 1],
    [40, 3, 1],
    [1, 0, 1],
    [130, 140, 7],
    [100, 5, 300],
  ])('a rolling cache: window %i, %i sink tokens, pieces of %i', (window, sinkTokens, piece) => {
    const sizes = { ...SIZES, batch: 1 }
    const all = new Model(sizes).draw(random(5), 600)
    const q = queries(6, 1, 2, 600, 3)
    const cache = new KvCache({ ...sizes, window, sinkTokens })
    for (let from = 0; from + piece <= 600; from += piece) {
      cache.append(rowsOf(all.k, from, from + piece), rowsOf(all.v, from, from + piece))
    }
    cache.truncate(cache.length - piece)
    const restored = KvCache.from(cache.snapshot())
    expect(restored).toMatchObject({ window, sinkTokens, length: cache.length })
    expect(restored.snapshot()).toEqual(cache.snapshot())
    expect(restored.bytes).toBeLessThanOrEqual(cache.bytes)
    const rest = [cache.length, cache.length + piece] as const
    const outputs = [cache, restored].map(one => {
      one.append(rowsOf(all.k, ...rest), rowsOf(all.v, ...rest))
      return api.attention(rowsOf(q, ...rest), one, { causal: true })
    })
    expect(bits('output', outputs[1], outputs[0])).toBeUndefined()
  })

  test('one of float32 from before there were other types', () => {
    // Two keys of one head and channel, 1 and 2, and their values, 3 and 4.
    const words =
      '894b56430d0a1a0a 01000000 0000000000005240 00000000 01000000 01000000 01000000 01000000 00000000'
    const rest = '00000000 02000000 00000000 0000803f 00000040 00004040 00008040 00000000'
    const old = sealed(Uint8Array.from(Buffer.from(`${words}${rest}`.replaceAll(' ', ''), 'hex')))
    const restored = KvCache.from(old)
    expect(restored).toMatchObject({ type: 'float32', length: 2, headDim: 1 })
    const q = { data: Float32Array.of(0), dims: [1, 1] }
    expect(api.attention(q, restored).data[0]).toBe(3.5)
    expect(restored.snapshot()).toEqual(old)
  })

  test('what float16 and int8 take', () => {
    const one = (type: CacheType) => filled({ ...SIZES, batch: 1 }, 10, [10], 7, type).cache.snapshot().length
    const [whole, half, codes] = TYPES.map(one)
    const around = ITEM + 8 + 4
    expect(whole - around).toBe(10 * 2 * 5 * 4)
    expect(half - around).toBe(10 * 2 * 5 * 2)
    expect(codes - around).toBe(10 * 2 * (5 + 2 * 4))
  })

  test('does not depend on where pages lie, and has what the format says', () => {
    const cache = uneven()
    const fork = cache.fork()
    const { k, v } = new Model(SIZES).draw(random(7), 200)
    fork.append(k, v)
    fork.truncate(Int32Array.of(5, 2))
    expect(fork.snapshot()).toEqual(cache.snapshot())
    const bytes = cache.snapshot()
    expect(bytes.length).toBe(ITEM + 2 * 8 + 7 * 2 * 5 * 4 + 4)
    expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x4b, 0x56, 0x43, 0x0d, 0x0a, 0x1a, 0x0a])
    expect(sealed(bytes.slice())).toEqual(bytes)
  })

  test('from the middle of a larger buffer, off any boundary', () => {
    const bytes = uneven().snapshot()
    for (const shift of [1, 2, 3]) {
      const whole = new Uint8Array(bytes.length + 8).fill(0xee)
      whole.set(bytes, shift)
      const restored = KvCache.from(whole.subarray(shift, shift + bytes.length))
      expect(restored.snapshot()).toEqual(bytes)
    }
    expect(KvCache.from(Buffer.from(bytes)).length).toBe(5)
  })

  test('keeps to maxBytes', () => {
    const { cache } = filled({ ...SIZES, batch: 1 }, 500, [500])
    const bytes = cache.snapshot()
    expect(() => KvCache.from(bytes, { maxBytes: cache.bytes - 1 })).toThrow(/^maxBytes/)
    const restored = KvCache.from(bytes, { maxBytes: cache.bytes })
    const { k, v } = new Model({ ...SIZES, batch: 1 }).draw(random(8), 100)
    expect(() => restored.append(k, v)).toThrow(/^maxBytes/)
  })
})

describe('damage', () => {
  const bytes = uneven().snapshot()
  const refusal = (damaged: unknown): Error => {
    const error = thrownBy(() => KvCache.from(damaged as Uint8Array))
    expect(error.message).toMatch(/^bytes: /)
    return error
  }

  test('every other value of every byte is refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice()
      for (let change = 1; change < 256; change += at < ITEM + 16 ? 1 : 51) {
        damaged[at] = bytes[at] ^ change
        expect(refusal(damaged), `byte ${at} ^ ${change}`).toBeInstanceOf(RangeError)
      }
    }
  })

  test('every cut and every addition is refused', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(refusal(bytes.subarray(0, length))).toBeInstanceOf(RangeError)
    for (const more of [1, 4, 100]) {
      const longer = new Uint8Array(bytes.length + more)
      longer.set(bytes)
      expect(refusal(longer).message).toMatch(/cut short, or more/)
    }
  })

  test('says what is wrong', () => {
    const middle = bytes.slice()
    middle[100] ^= 1
    expect(refusal(middle).message).toMatch(/checksum .*damaged/)
    expect(refusal(bytes.subarray(0, 100)).message).toMatch(/cut short/)
    expect(refusal(new Uint8Array(0)).message).toMatch(/0 bytes/)
    expect(refusal(new Uint8Array(300)).message).toMatch(/do not begin like/)
    expect(refusal(forged(bytes, { [AT.version]: 2 })).message).toMatch(/version 1.*version 2/)
    for (const value of [undefined, null, 3, 'x', [...bytes], bytes.buffer, new Uint16Array(8)])
      expect(refusal(value)).toBeInstanceOf(TypeError)
  })

  test.each([
    ['a type that no cache has', { [AT.type]: 2 }, /type/],
    ['a type beyond all', { [AT.type]: 0xffffffff }, /type/],
    ['another type', { [AT.type]: 1 }, /sizes and lengths/],
    ['no items', { [AT.batch]: 0 }, /batch/],
    ['more items than there are bytes', { [AT.batch]: 0x7ffffffe }, /batch/],
    ['one more item', { [AT.batch]: 3 }, /./],
    ['no heads', { [AT.kvHeads]: 0 }, /kvHeads/],
    ['more heads', { [AT.kvHeads]: 3 }, /sizes and lengths/],
    ['very many heads', { [AT.kvHeads]: 0x7ffffffe, [AT.headDim]: 0x7ffffffe }, /sizes and lengths/],
    ['beyond 2^31 heads', { [AT.kvHeads]: 0xffffffff }, /kvHeads/],
    ['no channels', { [AT.headDim]: 0 }, /headDim/],
    ['channels that were moved', { [AT.headDim]: 2, [AT.valueDim]: 4 }, /sizes and lengths/],
    ['no value channels', { [AT.valueDim]: 0 }, /valueDim/],
    ['sink tokens without a window', { [AT.sinks]: 1 }, /sinkTokens/],
    ['a longer item', { [ITEM]: 6 }, /sizes and lengths/],
    ['an item beyond any length', { [ITEM]: 0xffffffff }, /length/],
    ['an item of 2^30 tokens', { [ITEM]: 2 ** 30 }, /sizes and lengths/],
    ['evicted keys without a window', { [ITEM + 4]: 1 }, /evicted/],
    ['evicted keys inside the window', { [AT.window]: 3, [ITEM + 4]: 4 }, /evicted/],
    ['evicted keys among the sink tokens', { [AT.window]: 3, [AT.sinks]: 2, [ITEM + 4]: 2 }, /evicted/],
    ['keys that are missing', { [AT.window]: 3, [AT.sinks]: 1, [ITEM + 4]: 3 }, /sizes and lengths/],
  ])('lies with a checksum that fits: %s', (_what, words, pattern) => {
    const error = refusal(forged(bytes, words as Record<number, number>))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toMatch(pattern)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -127])('a scale of int8 that is %d', scale => {
    const cache = new KvCache({ kvHeads: 1, headDim: 1, type: 'int8' })
    const token = { data: Float32Array.of(1), dims: [1, 1, 1, 1] }
    cache.append(token, token)
    const bytes = cache.snapshot()
    new DataView(bytes.buffer).setFloat32(ITEM + 8 + 1, scale, true)
    expect(refusal(sealed(bytes)).message).toMatch(/scale/)
  })

  test('a very long rolling item costs no memory for what is gone', () => {
    const cache = new KvCache({ kvHeads: 1, headDim: 1, window: 2 })
    const token = { data: Float32Array.of(1), dims: [1, 1, 1, 1] }
    for (let n = 0; n < 4; n++) cache.append(token, token)
    // The same two keys of an item that had 2^30 tokens.
    const far = forged(cache.snapshot(), { [ITEM]: 2 ** 30 - 1, [ITEM + 4]: 2 ** 30 - 3 })
    const before = process.memoryUsage().heapUsed
    const restored = KvCache.from(far, { maxBytes: 2 ** 16 })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 22)
    expect(restored.length).toBe(2 ** 30 - 1)
    restored.append(token, token)
    expect(() => restored.append(token, token)).toThrow(/^length/)
  })

  test('random bytes behind a good beginning, sealed or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 36, maxLength: 200 }), fc.boolean(), (tail, seal) => {
        const made = new Uint8Array(12 + tail.length)
        made.set(bytes.subarray(0, 12))
        made.set(tail, 12)
        try {
          KvCache.from(seal ? sealed(made) : made, { maxBytes: 2 ** 20 })
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          expect((error as Error).message).toMatch(/^(bytes|maxBytes): /)
        }
      }),
      { numRuns: 1000, seed: SEED },
    )
  })
})
