/**
 * What a cache refuses, and what attention refuses beside one: by name, before any work.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, KvCacheOptions } from '../src/index.ts'
import { KvCache } from '../src/index.ts'
import { api, detached, type Refusal, refuses, thrownBy, zeros } from './support/refusals.ts'
import './support/replay.ts'

const int32 = (...values: number[]): Int32Array => Int32Array.from(values)
const SIZES = { batch: 2, kvHeads: 2, headDim: 8, valueDim: 6 }

/** A cache of five tokens and two. */
function filled(more: Partial<KvCacheOptions> = {}): KvCache {
  const cache = new KvCache({ ...SIZES, ...more })
  cache.append(zeros(2, 2, 5, 8), zeros(2, 2, 5, 6), { lengths: int32(5, 2) })
  return cache
}

describe('new KvCache', () => {
  const make = (options: unknown) => () => new KvCache(options as KvCacheOptions)
  const sized = (option: object) => make({ kvHeads: 2, headDim: 8, ...option })
  const wrongSizes = ['batch', 'kvHeads', 'headDim', 'valueDim'].flatMap((name): Refusal[] => [
    [`${name} 0`, sized({ [name]: 0 }), 'RangeError', name, /0/],
    [`${name} fractional`, sized({ [name]: 1.5 }), 'RangeError', name, /1\.5/],
    [`${name} a string`, sized({ [name]: '2' }), 'TypeError', name, /"2"/],
    [`${name} null`, sized({ [name]: null }), 'TypeError', name, /null/],
    [`${name} past 2^31`, sized({ [name]: 2 ** 31 }), 'RangeError', name, /2147483648/],
  ])
  refuses([
    ...wrongSizes,
    ['options missing', make(undefined), 'TypeError', 'options', /undefined/],
    ['options an array', make([]), 'TypeError', 'options'],
    ['an unknown name', sized({ heads: 2 }), 'TypeError', 'options.heads', /kvHeads/],
    ['kvHeads missing', make({ headDim: 8 }), 'TypeError', 'kvHeads', /undefined/],
    ['headDim missing', make({ kvHeads: 8 }), 'TypeError', 'headDim', /undefined/],
    [
      'type bfloat16',
      sized({ type: 'bfloat16' }),
      'RangeError',
      'type',
      /float32.*float16.*int8/,
      /bfloat16/,
    ],
    ['type unknown', sized({ type: 'float64' }), 'RangeError', 'type', /float64/],
    ['type null', sized({ type: null }), 'TypeError', 'type', /null/],
    ['capacity negative', sized({ capacity: -1 }), 'RangeError', 'capacity', /-1/],
    ['capacity a string', sized({ capacity: '9' }), 'TypeError', 'capacity'],
    ['window 0', sized({ window: 0 }), 'RangeError', 'window', /0/],
    ['window a pair', sized({ window: { left: 3 } }), 'TypeError', 'window'],
    ['window null', sized({ window: null }), 'TypeError', 'window', /null/],
    ['sinkTokens without window', sized({ sinkTokens: 4 }), 'RangeError', 'sinkTokens', /window/, /4/],
    ['sinkTokens negative', sized({ window: 4, sinkTokens: -1 }), 'RangeError', 'sinkTokens', /-1/],
    ['maxBytes fractional', sized({ maxBytes: 0.5 }), 'RangeError', 'maxBytes', /0\.5/],
    ['maxBytes infinite', sized({ maxBytes: Number.POSITIVE_INFINITY }), 'RangeError', 'maxBytes'],
  ])

  test('takes what is there, and nothing more', () => {
    expect(new KvCache({ kvHeads: 2, headDim: 8 })).toMatchObject({ batch: 1, valueDim: 8, sinkTokens: 0 })
    expect(new KvCache({ kvHeads: 2, headDim: 8 }).window).toBeUndefined()
    expect(() => new KvCache({ ...SIZES, type: 'float32', sinkTokens: 0 })).not.toThrow()
    expect(`${new KvCache(SIZES)}`).toBe('[object KvCache]')
  })
})

describe('append', () => {
  const append =
    (k: unknown, v: unknown = zeros(2, 2, 3, 6), options?: unknown) =>
    () =>
      new KvCache(SIZES).append(k as never, v as never, options as never)
  const k = zeros(2, 2, 3, 8)
  const half = { data: new Uint16Array(96), dims: [2, 2, 3, 8], type: 'float16' }
  refuses([
    ['nothing', append(undefined), 'TypeError', 'k', /undefined/],
    ['v missing', append(k, null), 'TypeError', 'v', /null/],
    ['another batch', append(zeros(1, 2, 3, 8)), 'RangeError', 'k.dims', /batch 2/, /\[1, 2, 3, 8\]/],
    ['other kvHeads', append(zeros(2, 4, 3, 8)), 'RangeError', 'k.dims', /2 kvHeads/],
    ['another headDim', append(zeros(2, 2, 3, 9)), 'RangeError', 'k.dims', /headDim 8/],
    ['another valueDim', append(k, zeros(2, 2, 3, 8)), 'RangeError', 'v.dims', /value headDim 6/],
    ['another batch of v', append(k, zeros(3, 2, 3, 6)), 'RangeError', 'v.dims', /batch 2/],
    ['another length of v', append(k, zeros(2, 2, 4, 6)), 'RangeError', 'v.dims', /length of 3/],
    ['another type', append(half), 'TypeError', 'k.type', /float32/, /float16/],
    ['rank 1', append(zeros(8)), 'RangeError', 'k.dims', /rank/],
    ['rank 2 of two heads', append(zeros(3, 8), zeros(3, 6)), 'RangeError', 'k.dims', /batch 2/],
    ['rank 3 that heads do not divide', append(zeros(2, 3, 17)), 'RangeError', 'k.dims[2]', /17/],
    [
      'data too short',
      append({ data: new Float32Array(95), dims: [2, 2, 3, 8] }),
      'RangeError',
      'k.data',
      /96/,
    ],
    [
      'a detached buffer',
      append({ ...k, data: detached(k.data.slice()) }),
      'TypeError',
      'k.data',
      /detached/,
    ],
    ['lengths an array', append(k, undefined, { lengths: [1, 2] }), 'TypeError', 'lengths', /Int32Array/],
    ['lengths of one item', append(k, undefined, { lengths: int32(1) }), 'RangeError', 'lengths', /2/],
    [
      'lengths too long',
      append(k, undefined, { lengths: int32(3, 4) }),
      'RangeError',
      'lengths[1]',
      /4/,
      /3/,
    ],
    ['lengths negative', append(k, undefined, { lengths: int32(-1, 3) }), 'RangeError', 'lengths[0]', /-1/],
    ['layout unknown', append(k, undefined, { layout: 'sbhd' }), 'RangeError', 'layout', /sbhd/],
    [
      'layout beside rank 3',
      append(zeros(2, 3, 16), undefined, { layout: 'bshd' }),
      'RangeError',
      'layout',
      /rank 3/,
    ],
    ['an unknown option', append(k, undefined, { length: 3 }), 'TypeError', 'options.length', /lengths/],
    ['options null', append(k, undefined, null), 'TypeError', 'options', /null/],
  ])

  test('a refused append changes nothing', () => {
    const cache = filled()
    const before = cache.snapshot()
    expect(() => cache.append(zeros(2, 2, 3, 8), zeros(2, 2, 4, 6))).toThrow(/^v\.dims/)
    expect(() => cache.append(zeros(2, 2, 3, 8), zeros(2, 2, 3, 6), { lengths: int32(3, 9) })).toThrow()
    expect(cache.snapshot()).toEqual(before)
  })
})

describe('truncate and from', () => {
  const truncate = (length: unknown) => () => filled().truncate(length as never)
  refuses([
    ['beyond the longest', truncate(6), 'RangeError', 'length', /5/, /6/],
    ['negative', truncate(-1), 'RangeError', 'length', /-1/],
    ['fractional', truncate(1.5), 'RangeError', 'length', /1\.5/],
    ['missing', truncate(undefined), 'TypeError', 'length', /undefined/],
    ['an array', truncate([1, 1]), 'TypeError', 'length', /Int32Array/],
    ['a string', truncate('1'), 'TypeError', 'length', /"1"/],
    ['of one item', truncate(int32(1)), 'RangeError', 'length', /2/, /1/],
    ['beyond an item', truncate(int32(5, 3)), 'RangeError', 'length[1]', /2/, /3/],
    [
      'from with an unknown option',
      () => KvCache.from(filled().snapshot(), { maxByte: 1 } as never),
      'TypeError',
      'options.maxByte',
    ],
    [
      'from with a limit of text',
      () => KvCache.from(filled().snapshot(), { maxBytes: '1' } as never),
      'TypeError',
      'maxBytes',
    ],
    [
      'from with options null',
      () => KvCache.from(filled().snapshot(), null as never),
      'TypeError',
      'options',
      /null/,
    ],
  ])

  test('a refused truncate changes nothing', () => {
    const cache = filled()
    expect(() => cache.truncate(int32(1, 3))).toThrow(/^length\[1\]/)
    expect([...cache.lengths]).toEqual([5, 2])
  })
})

describe('attention over a cache', () => {
  const q = zeros(2, 4, 3, 8)
  const over =
    (options: unknown, queries: unknown = q, cache: unknown = filled()) =>
    () =>
      api.attention(queries as never, cache as never, options as AttentionOptions)
  const rolling = filled({ window: 3 })
  const bytes = (...dims: number[]) => ({ data: new Uint8Array(dims.reduce((a, b) => a * b, 1)), dims })
  const halfQ = { data: new Uint16Array(192), dims: [2, 4, 3, 8], type: 'float16' }
  refuses([
    ['batch of q', over({}, zeros(3, 4, 3, 8)), 'RangeError', 'q.dims', /batch 2/],
    ['headDim of q', over({}, zeros(2, 4, 3, 9)), 'RangeError', 'q.dims', /headDim 8/],
    [
      'heads that kvHeads do not divide',
      over({}, zeros(2, 3, 3, 8)),
      'RangeError',
      'q.dims',
      /2 kvHeads/,
      /3/,
    ],
    ['no heads', over({}, zeros(2, 0, 3, 8)), 'RangeError', 'q.dims', /head/],
    ['rank 1', over({}, zeros(8)), 'RangeError', 'q.dims', /rank/],
    ['type of q', over({}, halfQ), 'TypeError', 'q.type', /float32/, /float16/],
    ['keyLengths', over({ keyLengths: int32(1, 1) }), 'RangeError', 'keyLengths', /cache/],
    ['kvHeads', over({ heads: 4, kvHeads: 2 }, zeros(2, 3, 32)), 'RangeError', 'kvHeads', /cache/],
    [
      'cuSeqlens',
      over({ cuSeqlens: { q: int32(0, 3), k: int32(0, 5) } }),
      'RangeError',
      'cuSeqlens',
      /cache/,
    ],
    [
      'window beside a rolling cache',
      over({ window: { left: 2 } }, q, rolling),
      'RangeError',
      'window',
      /rolling/,
    ],
    ['queryOffset that nothing uses', over({ queryOffset: 1 }), 'RangeError', 'queryOffset'],
    [
      'queryOffset beside top-left',
      over({ causal: 'top-left', queryOffset: 1 }),
      'RangeError',
      'queryOffset',
    ],
    ['a mask of too few keys', over({ keep: bytes(2) }), 'RangeError', 'keep.dims', /5/, /2/],
    ['a bias of too many keys', over({ bias: zeros(3, 6) }), 'RangeError', 'bias.dims', /5/, /6/],
    ['leftPad beyond an item', over({ leftPad: int32(0, 3) }), 'RangeError', 'leftPad[1]', /2/, /3/],
    ['an unknown option', over({ casual: true }), 'TypeError', 'options.casual'],
    ['options null', over(null), 'TypeError', 'options', /null/],
    ['out of another size', over({ out: zeros(2, 4, 3, 8) }), 'RangeError', 'out.dims', /6/, /8/],
    [
      'values beside it',
      () => api.attention(q, filled() as never, filled() as never, {}),
      'TypeError',
      'v',
      /cache/,
    ],
    ['a tensor of values in place of options', over(zeros(2, 2, 5, 6)), 'TypeError', 'options.data'],
    [
      'a cache for v alone',
      () => api.attention(q, zeros(2, 2, 5, 8), filled() as never),
      'TypeError',
      'v.data',
    ],
    ['a cache for q', () => api.attention(filled() as never, filled()), 'TypeError', 'q.data'],
    ['the class itself', over({}, q, KvCache), 'TypeError', 'k', /function/],
    [
      'sinks of a part',
      () => api.attentionPartial(q, filled(), { sinks: new Float32Array(4) } as never),
      'RangeError',
      'sinks',
      /mergePartials/,
    ],
    ['signal on a synchronous call', over({ signal: new AbortController().signal }), 'TypeError', 'signal'],
    ['rows beyond q', () => api.attentionWeights(q, filled(), { rows: int32(3) }), 'RangeError', 'rows[0]'],
  ])

  test('a cache of another copy of the package is told apart', () => {
    class Foreign {
      get [Symbol.toStringTag](): string {
        return 'KvCache'
      }
    }
    const error = thrownBy(over({}, q, new Foreign()))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/^cache: .*this copy of selfsame/)
  })

  test('attentionAsync rejects', async () => {
    await expect(api.attentionAsync(q, filled(), { signal: {} as AbortSignal })).rejects.toThrow(/^signal/)
    await expect(api.attentionAsync(zeros(1, 2, 3, 8), filled())).rejects.toThrow(/^q\.dims/)
    const cache = filled()
    cache.dispose()
    await expect(api.attentionAsync(q, cache)).rejects.toThrow(/^cache: .*disposed/)
  })

  test('what fits a cache is fine', () => {
    for (const options of [
      { causal: false },
      { causal: 'top-left' },
      { causal: 'bottom-right' },
      { causal: true, queryOffset: int32(0, -1) },
      { window: { left: 1 } },
      { leftPad: int32(5, 2) },
      { heads: undefined, keyLengths: undefined },
    ] as AttentionOptions[]) {
      expect(api.attention(q, filled(), options).dims).toEqual([2, 4, 3, 6])
    }
  })
})
