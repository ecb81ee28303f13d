/**
 * Tensors that must be refused, before any kernel sees them.
 * @module
 */
import { describe, expect, test } from 'vitest'
import './support/replay.ts'
import { api, detached, refuses, withOptions, withTensors, zeros } from './support/refusals.ts'

const fine = zeros(2, 2, 4, 8)
const half = (type?: string) => ({
  data: new Uint16Array(2 * 2 * 4 * 8),
  dims: [2, 2, 4, 8],
  ...(type && { type }),
})

describe('q, k and v by themselves', () => {
  refuses([
    ['q missing', withTensors(undefined), 'TypeError', 'q', /undefined/],
    ['q null', withTensors(null), 'TypeError', 'q', /null/],
    ['q a number', withTensors(7), 'TypeError', 'q', /7/],
    ['q a bare array', withTensors([1, 2]), 'TypeError', 'q'],
    ['q a bare typed array', withTensors(new Float32Array(8)), 'TypeError', 'q'],
    ['data missing', withTensors({ dims: [2, 2, 4, 8] }), 'TypeError', 'q.data', /undefined/],
    ['data a plain array', withTensors({ ...fine, data: [...fine.data] }), 'TypeError', 'q.data', /array/i],
    [
      'data float64',
      withTensors({ ...fine, data: new Float64Array(128) }),
      'TypeError',
      'q.data',
      /Float64Array/,
    ],
    [
      'data Int8Array',
      withTensors(fine, { ...fine, data: new Int8Array(128) }),
      'TypeError',
      'k.data',
      /Int8Array/,
    ],
    [
      'data a DataView',
      withTensors({ ...fine, data: new DataView(new ArrayBuffer(512)) }),
      'TypeError',
      'q.data',
      /DataView/,
    ],
    [
      'data an ArrayBuffer',
      withTensors({ ...fine, data: new ArrayBuffer(512) }),
      'TypeError',
      'q.data',
      /ArrayBuffer/,
    ],
    ['bare Uint16Array', withTensors(half()), 'TypeError', 'q.type', /float16/, /bfloat16/],
    [
      'type float16 on Float32Array',
      withTensors({ ...fine, type: 'float16' }),
      'TypeError',
      'q.type',
      /float16/,
    ],
    ['type float32 on Uint16Array', withTensors(half('float32')), 'TypeError', 'q.type', /float32/],
    ['type unknown', withTensors({ ...fine, type: 'double' }), 'TypeError', 'q.type', /double/],
    ['type no string', withTensors({ ...fine, type: 1 }), 'TypeError', 'q.type'],
    ['dims missing', withTensors({ data: fine.data }), 'TypeError', 'q.dims', /undefined/],
    ['dims a number', withTensors({ data: fine.data, dims: 128 }), 'TypeError', 'q.dims', /128/],
    [
      'dims of strings',
      withTensors({ data: fine.data, dims: ['2', 2, 4, 8] }),
      'TypeError',
      'q.dims',
      /"2"|'2'/,
    ],
    ['dims negative', withTensors({ data: fine.data, dims: [2, -2, 4, 8] }), 'RangeError', 'q.dims', /-2/],
    [
      'dims fractional',
      withTensors({ data: fine.data, dims: [2, 2, 4, 8.5] }),
      'RangeError',
      'q.dims',
      /8\.5/,
    ],
    [
      'dims NaN',
      withTensors({ data: fine.data, dims: [2, 2, Number.NaN, 8] }),
      'RangeError',
      'q.dims',
      /NaN/,
    ],
    [
      'dims with a hole',
      withTensors({ data: fine.data, dims: [2, undefined, 4, 8] }),
      'TypeError',
      'q.dims',
      /undefined/,
    ],
    [
      'dims beyond all memory',
      withTensors({ data: fine.data, dims: [2 ** 30, 2 ** 30, 2 ** 30, 2] }),
      'RangeError',
      'q.dims',
    ],
    ['dims past 2^31', withTensors({ data: fine.data, dims: [2 ** 33, 0, 4, 8] }), 'RangeError', 'q.dims'],
    ['rank 0', withTensors({ data: new Float32Array(1), dims: [] }), 'RangeError', 'q.dims'],
    ['rank 1', withTensors(zeros(8), zeros(8)), 'RangeError', 'q.dims', /rank/],
    ['rank 5', withTensors(zeros(1, 2, 2, 4, 8)), 'RangeError', 'q.dims'],
    [
      'data too short',
      withTensors({ ...fine, data: new Float32Array(127) }),
      'RangeError',
      'q.data',
      /128/,
      /127/,
    ],
    [
      'data too long',
      withTensors(fine, { ...fine, data: new Float32Array(129) }),
      'RangeError',
      'k.data',
      /128/,
      /129/,
    ],
    [
      'data empty',
      withTensors(fine, fine, { ...fine, data: new Float32Array(0) }),
      'RangeError',
      'v.data',
      /128/,
      /0/,
    ],
  ])
})

describe('q, k and v together', () => {
  const t = zeros
  refuses([
    ['rank of k', withTensors(fine, t(2, 4, 8)), 'RangeError', 'k.dims', /rank 4/],
    ['rank of v', withTensors(fine, fine, t(4, 8)), 'RangeError', 'v.dims', /rank 4/],
    ['headDim of k', withTensors(fine, t(2, 2, 4, 9)), 'RangeError', 'k.dims', /8/, /9/],
    ['batch of k', withTensors(fine, t(3, 2, 4, 8)), 'RangeError', 'k.dims', /2/, /3/],
    ['batch of v', withTensors(fine, fine, t(1, 2, 4, 8)), 'RangeError', 'v.dims', /2/, /1/],
    ['heads that do not divide', withTensors(t(2, 6, 4, 8), t(2, 4, 4, 8)), 'RangeError', 'k.dims', /6/, /4/],
    ['more kv heads than heads', withTensors(t(2, 2, 4, 8), t(2, 4, 4, 8)), 'RangeError', 'k.dims', /2/, /4/],
    ['no kv heads', withTensors(t(2, 2, 4, 8), t(2, 0, 4, 8)), 'RangeError', 'k.dims'],
    ['no heads', withTensors(t(2, 0, 4, 8), t(2, 0, 4, 8)), 'RangeError', 'q.dims', /head/],
    [
      'heads of v',
      withTensors(t(2, 4, 4, 8), t(2, 4, 4, 8), t(2, 2, 4, 8)),
      'RangeError',
      'v.dims',
      /4/,
      /2/,
    ],
    ['keys of v', withTensors(fine, fine, t(2, 2, 5, 8)), 'RangeError', 'v.dims', /4/, /5/],
    ['headDim 0', withTensors(t(2, 2, 4, 0), t(2, 2, 4, 0)), 'RangeError', 'q.dims', /headDim/],
    ['valueDim 0', withTensors(fine, fine, t(2, 2, 4, 0)), 'RangeError', 'v.dims', /headDim/],
    [
      'types of k and v',
      withTensors(fine, fine, half('float16')),
      'TypeError',
      'v.type',
      /float32/,
      /float16/,
    ],
    [
      'half q beside float32 k',
      withTensors(half('float16'), fine),
      'TypeError',
      'q.type',
      /float32/,
      /float16/,
    ],
    ['two half types', withTensors(half('float16'), half('bfloat16')), 'TypeError', 'q.type', /bfloat16/],
  ])
})

describe('detached buffers', () => {
  const gone = () => ({ data: detached(new Float32Array(128)), dims: [2, 2, 4, 8] })
  refuses([
    ['q', withTensors(gone()), 'TypeError', 'q.data', /detached/],
    ['k', withTensors(fine, gone(), fine), 'TypeError', 'k.data', /detached/],
    ['v', withTensors(fine, fine, gone()), 'TypeError', 'v.data', /detached/],
    [
      'q of no rows',
      withTensors({ data: detached(new Float32Array(1)), dims: [2, 2, 0, 8] }),
      'TypeError',
      'q.data',
      /detached/,
    ],
    ['out', withOptions({ out: gone() }), 'TypeError', 'out.data', /detached/],
    [
      'bias',
      withOptions({ bias: { data: detached(new Float32Array(16)), dims: [4, 4] } }),
      'TypeError',
      'bias.data',
      /detached/,
    ],
    [
      'keep',
      withOptions({ keep: { data: detached(new Uint8Array(16)), dims: [4, 4] } }),
      'TypeError',
      'keep.data',
      /detached/,
    ],
    [
      'keyLengths',
      withOptions({ keyLengths: detached(Int32Array.of(4, 4)) }),
      'TypeError',
      'keyLengths',
      /detached/,
    ],
    ['sinks', withOptions({ sinks: detached(Float32Array.of(1, 1)) }), 'TypeError', 'sinks', /detached/],
    [
      'queryOffset',
      withOptions({ causal: true, queryOffset: detached(Int32Array.of(1, 1)) }),
      'TypeError',
      'queryOffset',
      /detached/,
    ],
  ])

  test('in attentionAsync, a rejection', async () => {
    const q = gone()
    await expect(api.attentionAsync(q, fine, fine)).rejects.toThrow(/q\.data.*detached/)
  })
})

describe('out', () => {
  const whole = new Float32Array(300)
  const q = { data: whole.subarray(0, 128), dims: [2, 2, 4, 8] }
  const at = (start: number) => ({ data: whole.subarray(start, start + 128), dims: [2, 2, 4, 8] })
  const into = (out: unknown) => () => api.attention(q, fine, fine, { out } as never)
  refuses([
    ['no tensor', into(new Float32Array(128)), 'TypeError', 'out'],
    ['null', into(null), 'TypeError', 'out', /null/],
    ['of another width', into(zeros(2, 2, 4, 9)), 'RangeError', 'out.dims', /8/, /9/],
    ['of another rank', into(zeros(4, 4, 8)), 'RangeError', 'out.dims'],
    [
      'of too little data',
      into({ data: new Float32Array(100), dims: [2, 2, 4, 8] }),
      'RangeError',
      'out.data',
      /100/,
    ],
    ['of another type', into(half('float16')), 'TypeError', 'out.type', /float32/, /float16/],
    ['that is q', into(q), 'RangeError', 'out.data', /\bq\b/],
    ['that is k', into(fine), 'RangeError', 'out.data', /\bk\b/],
    ['that overlaps q by one element', into(at(127)), 'RangeError', 'out.data', /\bq\b/],
    [
      'of a Float64Array',
      into({ data: new Float64Array(128), dims: [2, 2, 4, 8] }),
      'TypeError',
      'out.data',
      /Float64Array/,
    ],
  ])

  test('beside its neighbours is fine', () => {
    expect(into(at(128))()).toMatchObject({ dims: [2, 2, 4, 8] })
  })
})

test('after all refusals a good call works', () => {
  expect(withTensors(fine)()).toMatchObject({ dims: [2, 2, 4, 8] })
})
