/**
 * Options that must be refused: unknown names, wrong kinds, wrong lengths, contradictions, options without effect.
 * @module
 */
import { describe, expect, test } from 'vitest'
import './support/replay.ts'
import { api, refuses, withOptions, zeros } from './support/refusals.ts'

const int32 = (...values: number[]): Int32Array => Int32Array.from(values)
const bytes = (...dims: number[]) => ({ data: new Uint8Array(dims.reduce((a, b) => a * b, 1)), dims })
const THREE_WAYS = [/top-left/, /bottom-right/, /queryOffset/]

describe('names', () => {
  const unknown = ['casual', 'mask', 'attnMask', 'isCausal', 'attn_mask', 'num_heads', 'want', 'rows', '']
  refuses(
    unknown.map(name => [
      `unknown ${name}`,
      withOptions({ [name]: 1 }),
      'TypeError',
      `options.${name}`,
      /expected/,
    ]),
  )
  refuses([
    ['options null', withOptions(null), 'TypeError', 'options', /null/],
    ['options a number', withOptions(3), 'TypeError', 'options', /3/],
    ['options an array', withOptions([]), 'TypeError', 'options'],
    ['dropout', withOptions({ dropout: { p: 0.1, seed: 1 } }), 'RangeError', 'dropout'],
    [
      'signal on a synchronous call',
      withOptions({ signal: new AbortController().signal }),
      'TypeError',
      'signal',
      /attentionAsync/,
    ],
  ])
})

describe('numbers', () => {
  refuses([
    ['scale NaN', withOptions({ scale: Number.NaN }), 'RangeError', 'scale', /NaN/],
    ['scale Infinity', withOptions({ scale: Number.POSITIVE_INFINITY }), 'RangeError', 'scale', /Infinity/],
    ['scale beyond float32', withOptions({ scale: -1e39 }), 'RangeError', 'scale', /float32.*-1e\+39/],
    ['softcap beyond float32', withOptions({ softcap: 1e39 }), 'RangeError', 'softcap', /float32.*1e\+39/],
    ['scale a string', withOptions({ scale: '1' }), 'TypeError', 'scale', /"1"|'1'/],
    ['scale null', withOptions({ scale: null }), 'TypeError', 'scale', /null/],
    ['precision null', withOptions({ precision: null }), 'TypeError', 'precision', /null/],
    ['softcap null', withOptions({ softcap: null }), 'TypeError', 'softcap', /null/],
    ['softcap negative', withOptions({ softcap: -1 }), 'RangeError', 'softcap', /-1/],
    ['softcap NaN', withOptions({ softcap: Number.NaN }), 'RangeError', 'softcap', /NaN/],
    [
      'precision unknown',
      withOptions({ precision: 'float64' }),
      'RangeError',
      'precision',
      /float64/,
      /float32/,
    ],
    [
      'precision without kernels',
      withOptions({ precision: 'int8' }),
      'RangeError',
      'precision',
      /int8/,
      /float32/,
    ],
    ['threads 0', withOptions({ threads: 0 }), 'RangeError', 'threads', /0/],
    ['threads fractional', withOptions({ threads: 1.5 }), 'RangeError', 'threads', /1\.5/],
    ['threads a string', withOptions({ threads: '2' }), 'TypeError', 'threads', /"2"|'2'/],
    ['threads on a backend without', withOptions({ threads: 2 }), 'RangeError', 'threads', /reference/, /2/],
  ])
})

describe('null', () => {
  const names = ['causal', 'window', 'keep', 'drop', 'bias', 'alibi', 'sinks', 'scale', 'softcap']
  const others = [
    'keyLengths',
    'queryLengths',
    'leftPad',
    'cuSeqlens',
    'out',
    'precision',
    'threads',
    'layout',
  ]
  refuses([...names, ...others].map(name => [name, withOptions({ [name]: null }), 'TypeError', name, /null/]))
})

test('a refused call leaves out as it was', () => {
  const out = { data: new Float32Array(128).fill(7), dims: [2, 2, 4, 8] }
  for (const option of [{ threads: 0 }, { sinks: new Float32Array(5) }, { precision: 'int8' }, { mask: 1 }])
    expect(withOptions({ out, ...option })).toThrow(/expected/)
  expect(out.data.every(x => x === 7)).toBe(true)
})

describe('positions', () => {
  refuses([
    ['causal unknown', withOptions({ causal: 'left' }), 'RangeError', 'causal', /top-left/, /left/],
    ['causal 1', withOptions({ causal: 1 }), 'TypeError', 'causal', /1/],
    ['causal null', withOptions({ causal: null }), 'TypeError', 'causal', /null/],
    [
      'causal on unequal lengths',
      withOptions({ causal: true }, 4, 6),
      'RangeError',
      'causal',
      ...THREE_WAYS,
      /4/,
      /6/,
    ],
    ['queryOffset alone', withOptions({ queryOffset: 3 }), 'RangeError', 'queryOffset'],
    [
      'queryOffset beside top-left',
      withOptions({ causal: 'top-left', queryOffset: 3 }),
      'RangeError',
      'queryOffset',
      /top-left/,
    ],
    [
      'queryOffset beside bottom-right',
      withOptions({ causal: 'bottom-right', queryOffset: 3 }),
      'RangeError',
      'queryOffset',
    ],
    [
      'queryOffset fractional',
      withOptions({ causal: true, queryOffset: 0.5 }),
      'RangeError',
      'queryOffset',
      /0\.5/,
    ],
    [
      'queryOffset NaN',
      withOptions({ causal: true, queryOffset: Number.NaN }),
      'RangeError',
      'queryOffset',
      /NaN/,
    ],
    ['queryOffset a string', withOptions({ causal: true, queryOffset: '3' }), 'TypeError', 'queryOffset'],
    [
      'queryOffset an array',
      withOptions({ causal: true, queryOffset: [1, 2] }),
      'TypeError',
      'queryOffset',
      /Int32Array/,
    ],
    [
      'queryOffset null',
      withOptions({ causal: true, queryOffset: null }),
      'TypeError',
      'queryOffset',
      /null/,
    ],
    [
      'queryOffset of one item',
      withOptions({ causal: true, queryOffset: int32(1) }),
      'RangeError',
      'queryOffset',
      /2/,
      /1/,
    ],
    [
      'queryOffset out of all range',
      withOptions({ causal: true, queryOffset: 2 ** 31 }),
      'RangeError',
      'queryOffset',
      /2147483648/,
    ],
    ['window a number', withOptions({ window: 4 }), 'TypeError', 'window', /4/],
    ['window empty', withOptions({ window: {} }), 'RangeError', 'window'],
    ['window negative', withOptions({ window: { left: -1 } }), 'RangeError', 'window.left', /-1/],
    ['window fractional', withOptions({ window: { right: 1.5 } }), 'RangeError', 'window.right', /1\.5/],
    ['window unknown side', withOptions({ window: { top: 1 } }), 'TypeError', 'window.top', /left/],
    ['window a pair', withOptions({ window: [4, 0] }), 'TypeError', 'window'],
    ['keyLengths an array', withOptions({ keyLengths: [4, 4] }), 'TypeError', 'keyLengths', /Int32Array/],
    ['keyLengths of one item', withOptions({ keyLengths: int32(4) }), 'RangeError', 'keyLengths', /2/, /1/],
    [
      'keyLengths too long',
      withOptions({ keyLengths: int32(4, 5) }),
      'RangeError',
      'keyLengths[1]',
      /5/,
      /4/,
    ],
    ['keyLengths negative', withOptions({ keyLengths: int32(-1, 4) }), 'RangeError', 'keyLengths[0]', /-1/],
    [
      'keyLengths unsigned',
      withOptions({ keyLengths: Uint32Array.of(4, 4) }),
      'TypeError',
      'keyLengths',
      /Uint32Array/,
    ],
    [
      'queryLengths too long',
      withOptions({ queryLengths: int32(9, 4) }),
      'RangeError',
      'queryLengths[0]',
      /9/,
    ],
    ['leftPad too long', withOptions({ leftPad: int32(4, 7) }), 'RangeError', 'leftPad[1]', /7/],
    ['leftPad a number', withOptions({ leftPad: 2 }), 'TypeError', 'leftPad', /2/],
  ])

  for (const [name, option] of [
    ['window', { window: { left: 2 } }],
    ['alibi', { alibi: true }],
  ] as const) {
    test(`${name} on unequal lengths names the three ways out`, () => {
      for (const way of THREE_WAYS) expect(withOptions(option, 4, 6)).toThrow(way)
      expect(withOptions(option, 4, 6)).toThrow(RangeError)
    })
  }
})

describe('scores', () => {
  const wide = { ...bytes(4, 4), bits: true }
  const words = { data: new Uint32Array(4), dims: [4, 4] }
  refuses([
    ['keep a bare array', withOptions({ keep: new Uint8Array(16) }), 'TypeError', 'keep'],
    ['keep of floats', withOptions({ keep: zeros(4, 4) }), 'TypeError', 'keep.data', /Float32Array/],
    ['keep of booleans', withOptions({ keep: { data: [true, false], dims: [2] } }), 'TypeError', 'keep.data'],
    ['keep one key short', withOptions({ keep: bytes(4, 3) }), 'RangeError', 'keep.dims', /4/, /3/],
    ['keep with a key axis of 1', withOptions({ keep: bytes(4, 1) }), 'RangeError', 'keep.dims', /4/, /1/],
    ['keep of 3 rows', withOptions({ keep: bytes(3, 4) }), 'RangeError', 'keep.dims', /3/],
    ['keep of 3 heads', withOptions({ keep: bytes(3, 4, 4) }), 'RangeError', 'keep.dims', /3/],
    ['keep of rank 5', withOptions({ keep: bytes(1, 1, 1, 4, 4) }), 'RangeError', 'keep.dims'],
    [
      'keep too short for its dims',
      withOptions({ keep: { data: new Uint8Array(15), dims: [4, 4] } }),
      'RangeError',
      'keep.data',
      /15/,
    ],
    ['keep bits in bytes', withOptions({ keep: wide }), 'TypeError', 'keep.data', /Uint32Array/],
    ['keep words without bits', withOptions({ keep: words }), 'TypeError', 'keep.data', /bits/],
    ['keep bits a number', withOptions({ keep: { ...words, bits: 1 } }), 'TypeError', 'keep.bits', /1/],
    [
      'keep with too few words',
      withOptions({ keep: { data: new Uint32Array(3), dims: [4, 4], bits: true } }),
      'RangeError',
      'keep.data',
    ],
    ['drop of floats', withOptions({ drop: zeros(4, 4) }), 'TypeError', 'drop.data', /Float32Array/],
    ['drop one key long', withOptions({ drop: bytes(4, 5) }), 'RangeError', 'drop.dims', /5/],
    ['bias of bytes', withOptions({ bias: bytes(4, 4) }), 'TypeError', 'bias.data', /Uint8Array/],
    ['bias one key short', withOptions({ bias: zeros(4, 3) }), 'RangeError', 'bias.dims', /3/],
    ['bias of 5 items', withOptions({ bias: zeros(5, 1, 1, 4) }), 'RangeError', 'bias.dims', /5/],
    ['alibi a string', withOptions({ alibi: 'yes' }), 'TypeError', 'alibi', /yes/],
    ['alibi 1', withOptions({ alibi: 1 }), 'TypeError', 'alibi', /1/],
    ['alibi of 3 heads', withOptions({ alibi: new Float32Array(3) }), 'RangeError', 'alibi', /2/, /3/],
    ['sinks an array', withOptions({ sinks: [0, 0] }), 'TypeError', 'sinks', /Float32Array/],
    ['sinks of 1 head', withOptions({ sinks: new Float32Array(1) }), 'RangeError', 'sinks', /2/, /1/],
    [
      'sinks of a part',
      () =>
        api.attentionPartial(zeros(4, 8), zeros(4, 8), zeros(4, 8), { sinks: new Float32Array(1) } as never),
      'RangeError',
      'sinks',
      /mergePartials/,
    ],
  ])
})

describe('options that are fine', () => {
  test.each([
    ['softcap 0', { softcap: 0 }],
    ['a negative scale', { scale: -0.5 }],
    ['a scale of 0', { scale: 0 }],
    ['causal false', { causal: false }],
    ['alibi false', { alibi: false }],
    ['a window wider than the keys', { window: { left: 1e6, right: 1e6 } }],
    [
      'lengths equal to the full size',
      { keyLengths: int32(4, 4), queryLengths: int32(4, 4), leftPad: int32(0, 0) },
    ],
    ['a window that lengths make void', { window: { left: 0 }, keyLengths: int32(0, 0) }],
    ['keep and drop together', { keep: bytes(4, 4), drop: bytes(4) }],
    ['threads 1', { threads: 1 }],
    ['precision float32', { precision: 'float32' }],
    ['options left undefined', { scale: undefined, causal: undefined, window: undefined, out: undefined }],
  ])('%s', (_name, options) => {
    expect(withOptions(options)()).toMatchObject({ dims: [2, 2, 4, 8] })
  })
})
