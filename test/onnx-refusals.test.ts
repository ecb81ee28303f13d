/**
 * Nodes that the adapter refuses: by the operator's own names, with what was expected and what came.
 * @module
 */
import { describe } from 'vitest'
import { onnxAttention } from '../src/onnx/index.ts'
import { api, type Refusal, refuses, zeros } from './support/refusals.ts'
import './support/replay.ts'

const [B, H, G, SQ, SK, P, D] = [2, 4, 2, 3, 5, 6, 8]

type Node = Record<string, unknown>

/** A node that is fine, but for what is changed; `undefined` takes an input away. */
function node(inputs: Node = {}, attributes: unknown = {}, options: unknown = {}): () => unknown {
  const fine = { Q: zeros(B, H, SQ, D), K: zeros(B, G, SK, D), V: zeros(B, G, SK, 7) }
  const given = options as Node
  return () =>
    onnxAttention({ ...fine, ...inputs } as never, attributes as never, { attention: api, ...given } as never)
}

const rank3 = { Q: zeros(B, SQ, H * D), K: zeros(B, SK, G * D), V: zeros(B, SK, G * 7) }
const heads3 = { q_num_heads: H, kv_num_heads: G }
const past = { past_key: zeros(B, G, P, D), past_value: zeros(B, G, P, 7) }
const bool = (...dims: number[]) => ({ data: new Uint8Array(zeros(...dims).data.length), dims })
const lengths = (...values: number[]) => ({ data: BigInt64Array.from(values, BigInt), dims: [values.length] })
const half = (...dims: number[]) => ({
  data: new Uint16Array(zeros(...dims).data.length),
  dims,
  type: 'float16',
})

describe('inputs', () => {
  refuses([
    ['no inputs', () => onnxAttention(undefined as never), 'TypeError', 'inputs', /undefined/],
    ['an unknown input', node({ mask: bool(SK) }), 'TypeError', 'inputs.mask', /attn_mask/],
    ['no Q', node({ Q: undefined }), 'TypeError', 'Q', /undefined/],
    [
      'double',
      node({ K: { data: new Float64Array(8), dims: [1, 1, 1, 8] } }),
      'TypeError',
      'K.data',
      /Float64Array/,
    ],
    ['rank 2', node({ Q: zeros(SQ, D) }), 'RangeError', 'Q.dims', /rank 3 or 4/],
    ['ranks that differ', node({ K: rank3.K }), 'RangeError', 'K.dims', /rank 4/],
    ['K of another type', node({ K: half(B, G, SK, D) }), 'TypeError', 'K.type', /float32.*float16/],
    ['V of another type', node({ V: half(B, G, SK, D) }), 'TypeError', 'V.type', /float32.*float16/],
    ['another batch', node({ K: zeros(3, G, SK, D) }), 'RangeError', 'K.dims[0]', /2.*3/],
    ['another batch of V', node({ V: zeros(1, G, SK, D) }), 'RangeError', 'V.dims[0]', /2.*1/],
    ['heads that do not divide', node({ K: zeros(B, 3, SK, D) }), 'RangeError', 'K.dims[1]', /4.*3/],
    ['other heads of V', node({ V: zeros(B, 1, SK, D) }), 'RangeError', 'V.dims[1]', /2.*1/],
    ['another number of values', node({ V: zeros(B, G, 4, D) }), 'RangeError', 'V.dims[2]', /5.*4/],
    ['another headDim', node({ K: zeros(B, G, SK, 9) }), 'RangeError', 'K.dims[3]', /8.*9/],
    ['no headDim', node({ Q: zeros(B, H, SQ, 0) }), 'RangeError', 'Q.dims', /headDim/],
    ['no heads', node({ Q: zeros(B, 0, SQ, D) }), 'RangeError', 'Q.dims[1]', /at least 1/],
    [
      'another headDim, rank 3',
      node({ ...rank3, K: zeros(B, SK, 18) }, heads3),
      'RangeError',
      'K.dims[2]',
      /16.*18/,
    ],
    [
      'a width the heads do not divide',
      node({ ...rank3, Q: zeros(B, SQ, 30) }, heads3),
      'RangeError',
      'Q.dims[2]',
      /q_num_heads/,
    ],
  ])
})

describe('past and lengths', () => {
  refuses([
    ['a past key alone', node({ past_key: past.past_key }), 'TypeError', 'past_value', /past_key/],
    ['a past value alone', node({ past_value: past.past_value }), 'TypeError', 'past_key', /past_value/],
    [
      'past of rank 3',
      node({ ...past, past_key: zeros(B, P, G * D) }),
      'RangeError',
      'past_key.dims',
      /2, 2, 16, 8/,
    ],
    [
      'past of another length',
      node({ ...past, past_value: zeros(B, G, 5, 7) }),
      'RangeError',
      'past_value.dims',
      /2, 2, 6, 7/,
    ],
    [
      'past of another type',
      node({ ...past, past_key: half(B, G, P, D) }),
      'TypeError',
      'past_key.type',
      /float32/,
    ],
    [
      'past and lengths',
      node({ ...past, nonpad_kv_seqlen: lengths(1, 2) }),
      'RangeError',
      'nonpad_kv_seqlen',
      /past_key/,
    ],
    [
      'lengths in opset 23',
      node({ nonpad_kv_seqlen: lengths(1, 2) }, {}, { opset: 23 }),
      'RangeError',
      'nonpad_kv_seqlen',
      /24/,
    ],
    [
      'too few lengths',
      node({ nonpad_kv_seqlen: lengths(1) }),
      'RangeError',
      'nonpad_kv_seqlen.dims',
      /\[2\]/,
    ],
    [
      'a length beyond the keys',
      node({ nonpad_kv_seqlen: lengths(1, 6) }),
      'RangeError',
      'nonpad_kv_seqlen[1]',
      /0 to 5.*6/,
    ],
    [
      'float lengths',
      node({ nonpad_kv_seqlen: zeros(2) }),
      'TypeError',
      'nonpad_kv_seqlen.data',
      /BigInt64Array/,
    ],
  ])
})

describe('masks', () => {
  refuses([
    [
      'an integer mask',
      node({ attn_mask: { ...bool(SK), type: 'uint8' } }),
      'TypeError',
      'attn_mask.type',
      /uint8/,
    ],
    [
      'int32',
      node({ attn_mask: { data: new Int32Array(SK), dims: [SK] } }),
      'TypeError',
      'attn_mask.data',
      /Int32Array/,
    ],
    [
      'a mask that does not broadcast',
      node({ attn_mask: bool(3, SQ, SK) }),
      'RangeError',
      'attn_mask.dims[0]',
      /1 or 4.*3/,
    ],
    ['too many keys', node({ attn_mask: zeros(SQ, SK + 1) }), 'RangeError', 'attn_mask.dims[1]', /5.*6/],
    [
      'fewer keys than are valid',
      node({ attn_mask: bool(SQ, 3), nonpad_kv_seqlen: lengths(2, 4) }),
      'RangeError',
      'attn_mask.dims[1]',
      /4 to 5.*3/,
    ],
    [
      'data of another length',
      node({ attn_mask: { ...bool(SQ, SK), data: new Uint8Array(3) } }),
      'RangeError',
      'attn_mask.data',
      /15.*3/,
    ],
    ['five axes', node({ attn_mask: bool(1, B, H, SQ, SK) }), 'RangeError', 'attn_mask.dims', /axes/],
  ])
})

describe('attributes', () => {
  const rows: Refusal[] = [
    ['an unknown one', node({}, { causal: 1 }), 'TypeError', 'attributes.causal', /is_causal/],
    ['is_causal 2', node({}, { is_causal: 2 }), 'TypeError', 'is_causal', /0, 1/],
    ['a negative scale', node({}, { scale: -1 }), 'RangeError', 'scale', /square root.*-1/],
    ['a negative softcap', node({}, { softcap: -1 }), 'RangeError', 'softcap', /-1/],
    ['rank 3 without heads', node(rank3), 'TypeError', 'q_num_heads', /rank 3/],
    ['rank 3 without kv heads', node(rank3, { q_num_heads: H }), 'TypeError', 'kv_num_heads', /rank 3/],
    [
      'kv heads that do not divide',
      node({ ...rank3, K: zeros(B, SK, 24) }, { q_num_heads: 4, kv_num_heads: 3 }),
      'RangeError',
      'kv_num_heads',
      /4.*3/,
    ],
    ['heads with rank 4', node({}, { q_num_heads: H }), 'RangeError', 'q_num_heads', /opset 25/],
    [
      'other heads with rank 4',
      node({}, { kv_num_heads: 4 }, { opset: 24 }),
      'RangeError',
      'kv_num_heads',
      /2.*4/,
    ],
    [
      'a mode that is none',
      node({}, { qk_matmul_output_mode: 4 }),
      'TypeError',
      'qk_matmul_output_mode',
      /0, 1, 2, 3/,
    ],
    [
      'softmax in double',
      node({}, { softmax_precision: 11 }),
      'RangeError',
      'softmax_precision',
      /doubleSoftmax/,
    ],
    ['softmax in int32', node({}, { softmax_precision: 6 }), 'TypeError', 'softmax_precision', /16/],
    [
      'a window in opset 24',
      node({}, { left_window_size: -1 }, { opset: 24 }),
      'TypeError',
      'attributes.left_window_size',
      /unknown/,
    ],
    ['a window of -2', node({}, { right_window_size: -2 }), 'RangeError', 'right_window_size', /-1.*-2/],
  ]
  refuses(rows)
})

describe('options', () => {
  refuses([
    ['an unknown one', node({}, {}, { backend: 'native' }), 'TypeError', 'options.backend', /opset/],
    ['another opset', node({}, {}, { opset: 22 }), 'TypeError', 'opset', /23, 24, 25/],
    ['an unknown output', node({}, {}, { outputs: ['Z'] }), 'RangeError', 'outputs[0]', /present_key/],
    ['outputs that are no array', node({}, {}, { outputs: 'Y' }), 'TypeError', 'outputs', /array/],
    [
      'present beside lengths',
      node({ nonpad_kv_seqlen: lengths(1, 2) }, {}, { outputs: ['present_key'] }),
      'RangeError',
      'outputs',
      /nonpad_kv_seqlen/,
    ],
    ['doubleSoftmax true', node({}, {}, { doubleSoftmax: true }), 'TypeError', 'doubleSoftmax', /float32/],
  ])
})
