/**
 * What a node of the ONNX operator `Attention` takes and gives, by the operator's own names.
 * @module
 */
import type { Attention } from '../attention/index.ts'
import type { Tensor, TensorLike } from '../attention/types.ts'

/** The inputs of a node. Types of Q, K and V: float32, float16 or bfloat16, the same for all three. */
export interface OnnxInputs {
  /** [batch, q_num_heads, queries, headDim], or [batch, queries, q_num_heads * headDim] with `q_num_heads`. */
  readonly Q: TensorLike
  /** [batch, kv_num_heads, keys, headDim], or [batch, keys, kv_num_heads * headDim] with `kv_num_heads`. */
  readonly K: TensorLike
  /** [batch, kv_num_heads, keys, valueDim], or [batch, keys, kv_num_heads * valueDim]. */
  readonly V: TensorLike
  /**
   * Broadcasts to [batch, q_num_heads, queries, past + keys]; its last axis may be shorter, and the keys behind it are
   * then masked. A Uint8Array is a boolean mask (true attends), a float tensor is added to the scores.
   */
  readonly attn_mask?: TensorLike
  /** [batch, kv_num_heads, past, headDim], whatever the rank of K; goes with `past_value`. */
  readonly past_key?: TensorLike
  /** [batch, kv_num_heads, past, valueDim]. */
  readonly past_value?: TensorLike
  /** Opset 24 and later: valid keys of each batch item, [batch], as BigInt64Array or Int32Array. Not beside a past. */
  readonly nonpad_kv_seqlen?: TensorLike
}

/** The attributes of a node, with the operator's defaults. */
export interface OnnxAttributes {
  /** 1: query row i sees key j where j <= i + offset; see `onnxAttention`. Default 0. */
  readonly is_causal?: 0 | 1 | boolean
  /** Factor of the scores, from 0 up; default 1 / sqrt(headDim). */
  readonly scale?: number
  /** Scores become softcap * tanh(score / softcap); default 0, which is off. */
  readonly softcap?: number
  /** Heads of Q; required with rank 3. */
  readonly q_num_heads?: number
  /** Heads of K and V; required with rank 3. */
  readonly kv_num_heads?: number
  /** A TensorProto.DataType: 1 FLOAT, 10 FLOAT16, 11 DOUBLE, 16 BFLOAT16. Softmax is float32; see `doubleSoftmax`. */
  readonly softmax_precision?: number
  /**
   * What `qk_matmul_output` shows: 0 the scaled products, 1 after the softcap, 2 after bias and masks, 3 the weights.
   * This is the numbering of onnx 1.23 for all opsets; onnx 1.18 to 1.20 had 1 and 2 the other way round.
   */
  readonly qk_matmul_output_mode?: 0 | 1 | 2 | 3
  /** Opset 25: keys to the left of the query's position, inclusive; -1, the default, is open. */
  readonly left_window_size?: number
  /** Opset 25: keys to the right. */
  readonly right_window_size?: number
}

export type OnnxOutputName = 'Y' | 'present_key' | 'present_value' | 'qk_matmul_output'

export interface OnnxOptions {
  /** The operator set of the graph; default 25. */
  readonly opset?: 23 | 24 | 25
  /** The outputs that the node names; default Y, and the present key and value where there is a past. */
  readonly outputs?: readonly OnnxOutputName[]
  /** A backend of your choice, as `load()` returns it; default the one that the package picks. */
  readonly attention?: Pick<Attention, 'attention' | 'attentionWeights'>
  /** 'float32' takes nodes that ask for softmax in DOUBLE as they are, in float32; without it they are refused. */
  readonly doubleSoftmax?: 'float32'
}

export interface OnnxOutputs {
  /** Of Q's rank and type, with valueDim channels. */
  readonly Y: Tensor
  /** [batch, kv_num_heads, past + keys, headDim]. */
  readonly present_key?: Tensor
  /** [batch, kv_num_heads, past + keys, valueDim]. */
  readonly present_value?: Tensor
  /** [batch, q_num_heads, queries, past + keys], in Q's type. */
  readonly qk_matmul_output?: Tensor
}
