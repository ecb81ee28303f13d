/**
 * Calls whose options do not fit the form of their tensors, and bad arguments of the other functions.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, WeightsOptions } from '../src/index.ts'
import { fromWindowSize, load, mergePartials } from '../src/index.ts'
import './support/replay.ts'
import { api, refuses, withOptions, zeros } from './support/refusals.ts'

const int32 = (...values: number[]): Int32Array => Int32Array.from(values)
const THREE_WAYS = [/top-left/, /bottom-right/, /queryOffset/]

describe('ranks, layouts, ragged batches', () => {
  const rank3 =
    (options: unknown, width = 8) =>
    () =>
      api.attention(zeros(2, 4, width), zeros(2, 4, width), zeros(2, 4, width), options as AttentionOptions)
  const ragged =
    (cuSeqlens: unknown, rest: object = {}) =>
    () =>
      api.attention(zeros(9, 2, 8), zeros(7, 2, 8), zeros(7, 2, 8), {
        cuSeqlens,
        ...rest,
      } as AttentionOptions)
  const good = { q: int32(0, 4, 9), k: int32(0, 7, 7) }
  refuses([
    ['heads beside rank 4', withOptions({ heads: 2 }), 'RangeError', 'heads', /2/],
    ['kvHeads beside rank 4', withOptions({ kvHeads: 2 }), 'RangeError', 'kvHeads'],
    ['heads 0', rank3({ heads: 0 }), 'RangeError', 'heads', /0/],
    ['heads null', rank3({ heads: null }), 'TypeError', 'heads', /null/],
    ['kvHeads null', rank3({ heads: 2, kvHeads: null }), 'TypeError', 'kvHeads', /null/],
    ['heads fractional', rank3({ heads: 1.5 }), 'RangeError', 'heads', /1\.5/],
    ['heads a string', rank3({ heads: '2' }), 'TypeError', 'heads'],
    ['heads that do not divide the width', rank3({ heads: 3 }), 'RangeError', 'q.dims', /3/, /8/],
    ['kvHeads that do not divide heads', rank3({ heads: 4, kvHeads: 8 }), 'RangeError', 'k'],
    ['layout beside rank 3', rank3({ layout: 'bshd' }), 'RangeError', 'layout', /rank 3/],
    ['layout unknown', withOptions({ layout: 'sbhd' }), 'RangeError', 'layout', /sbhd/, /bshd/],
    ['cuSeqlens beside rank 4', withOptions({ cuSeqlens: good }), 'RangeError', 'q.dims', /rank 3/],
    ['cuSeqlens an array', ragged(int32(0, 4, 9)), 'TypeError', 'cuSeqlens'],
    ['cuSeqlens without k', ragged({ q: good.q }), 'TypeError', 'cuSeqlens.k', /undefined/],
    ['cuSeqlens with v', ragged({ ...good, v: good.k }), 'TypeError', 'cuSeqlens.v'],
    ['cuSeqlens of numbers', ragged({ q: [0, 4, 9], k: good.k }), 'TypeError', 'cuSeqlens.q', /Int32Array/],
    [
      'cuSeqlens of different counts',
      ragged({ q: good.q, k: int32(0, 7) }),
      'RangeError',
      'cuSeqlens.k',
      /3/,
      /2/,
    ],
    ['cuSeqlens empty', ragged({ q: int32(), k: int32() }), 'RangeError', 'cuSeqlens.q'],
    ['cuSeqlens not from 0', ragged({ q: int32(1, 4, 9), k: good.k }), 'RangeError', 'cuSeqlens.q[0]', /1/],
    ['cuSeqlens falling', ragged({ q: int32(0, 10, 9), k: good.k }), 'RangeError', 'cuSeqlens.q[2]', /9/],
    [
      'cuSeqlens short of the tokens',
      ragged({ q: good.q, k: int32(0, 3, 6) }),
      'RangeError',
      'cuSeqlens.k[2]',
      /7/,
      /6/,
    ],
    [
      'cuSeqlens beyond the tokens',
      ragged({ q: int32(0, 4, 11), k: good.k }),
      'RangeError',
      'cuSeqlens.q[2]',
      /9/,
      /11/,
    ],
    ['cuSeqlens beside heads', ragged(good, { heads: 2 }), 'RangeError', 'heads'],
    ['cuSeqlens beside layout', ragged(good, { layout: 'bshd' }), 'RangeError', 'layout'],
    [
      'cuSeqlens and causal on unequal items',
      ragged(good, { causal: true }),
      'RangeError',
      'causal',
      ...THREE_WAYS,
    ],
  ])
})

describe('looking inside', () => {
  const look = (options: unknown) => () =>
    api.attentionWeights(zeros(4, 8), zeros(4, 8), zeros(4, 8), options as WeightsOptions)
  refuses([
    ['want a string', look({ want: 'weights' }), 'TypeError', 'want', /weights/],
    ['want null', look({ want: null }), 'TypeError', 'want', /null/],
    ['want unknown', look({ want: ['weights', 'heat'] }), 'RangeError', 'want[1]', /heat/],
    ['scoresAt without scores', look({ scoresAt: 'scaled' }), 'RangeError', 'scoresAt', /scores/],
    ['scoresAt unknown', look({ want: ['scores'], scoresAt: 'raw' }), 'RangeError', 'scoresAt', /raw/],
    ['rows an array', look({ rows: [1] }), 'TypeError', 'rows', /Int32Array/],
    ['rows beyond the last', look({ rows: int32(0, 4) }), 'RangeError', 'rows[1]', /4/, /3/],
    ['rows negative', look({ rows: int32(-1) }), 'RangeError', 'rows[0]', /-1/],
    ['signal', look({ signal: new AbortController().signal }), 'TypeError', 'signal'],
  ])
})

describe('the other functions', () => {
  const part = () => ({ output: zeros(1, 2, 3, 4), lse: zeros(1, 2, 3) })
  refuses([
    ['parts missing', () => mergePartials(undefined as never), 'TypeError', 'parts', /undefined/],
    ['no parts', () => mergePartials([]), 'RangeError', 'parts'],
    ['a part null', () => mergePartials([part(), null] as never), 'TypeError', 'parts[1]', /null/],
    ['the first part null', () => mergePartials([null] as never), 'TypeError', 'parts[0]', /null/],
    [
      'a part without lse',
      () => mergePartials([{ output: part().output }] as never),
      'TypeError',
      'parts[0].lse',
    ],
    [
      'parts of other dims',
      () => mergePartials([part(), { ...part(), output: zeros(1, 2, 3, 5) }]),
      'RangeError',
      'parts[1].output.dims',
    ],
    [
      'lse of other dims',
      () => mergePartials([part(), { ...part(), lse: zeros(1, 2, 4) }]),
      'RangeError',
      'parts[1].lse.dims',
    ],
    [
      'parts of different layouts',
      () => mergePartials([part(), { ...part(), layout: 'bshd' }]),
      'RangeError',
      'parts[1].layout',
      /bhsd/,
      /bshd/,
    ],
    [
      'an unknown layout',
      () => mergePartials([{ ...part(), layout: 'sbhd' as never }]),
      'RangeError',
      'parts[0].layout',
      /sbhd/,
    ],
    [
      'a layout beside rank 3',
      () => mergePartials([{ output: zeros(1, 3, 8), lse: zeros(1, 2, 3), layout: 'bshd' }]),
      'RangeError',
      'parts[0].layout',
      /rank 3/,
    ],
    [
      'an output of half precision',
      () =>
        mergePartials([
          {
            ...part(),
            output: { data: new Uint16Array(24), dims: [1, 2, 3, 4], type: 'float16' },
          },
        ]),
      'TypeError',
      'parts[0].output',
      /float32/,
    ],
    [
      'lse of rank 4',
      () => mergePartials([{ ...part(), lse: zeros(1, 2, 3, 1) }]),
      'RangeError',
      'parts[0].lse.dims',
    ],
    ['options null', () => mergePartials([part()], null as never), 'TypeError', 'options', /null/],
    [
      'sinks an array',
      () => mergePartials([part()], { sinks: [1, 2] as never }),
      'TypeError',
      'sinks',
      /Float32Array/,
    ],
    [
      'lse that does not fit',
      () => mergePartials([{ output: zeros(1, 2, 3, 4), lse: zeros(1, 3, 2) }]),
      'RangeError',
      'parts[0].lse.dims',
    ],
    [
      'sinks of 3 heads',
      () => mergePartials([part()], { sinks: new Float32Array(3) }),
      'RangeError',
      'sinks',
      /2/,
      /3/,
    ],
    ['an unknown option', () => mergePartials([part()], { sink: 1 } as never), 'TypeError', 'options.sink'],
    ['a window size of 0', () => fromWindowSize(0), 'RangeError', 'size', /0/],
    ['a window size of 1.5', () => fromWindowSize(1.5), 'RangeError', 'size', /1\.5/],
    [
      'load an unknown backend',
      () => load({ backend: 'cuda' as never }),
      'RangeError',
      'backend',
      /cuda/,
      /native/,
    ],
    ['load threads 0', () => load({ threads: 0 }), 'RangeError', 'threads', /0/],
    ['load an unknown option', () => load({ backed: 'native' } as never), 'TypeError', 'options.backed'],
    [
      'load a wasm that is no module',
      () => load({ wasm: new Uint8Array(8) as never }),
      'TypeError',
      'wasm',
      /WebAssembly\.Module/,
    ],
  ])

  test('a window size is a count that includes the query itself', () => {
    expect(fromWindowSize(1)).toEqual({ left: 0 })
    expect(fromWindowSize(4096)).toEqual({ left: 4095 })
  })

  test('attentionAsync rejects instead of throwing', async () => {
    const q = zeros(4, 8)
    await expect(api.attentionAsync(q, q, q, { scale: Number.NaN })).rejects.toThrow(/^scale/)
    await expect(api.attentionAsync(q, q, q, { signal: {} as AbortSignal })).rejects.toThrow(/^signal/)
    await expect(api.attentionAsync(null as never, q, q)).rejects.toThrow(/^q/)
  })
})
