/**
 * What callers see: tensors, options, results.
 * @module
 */

/** Names of tensor element types. bfloat16 and float16 are stored as their bits in a Uint16Array. */
export type TensorType = 'float32' | 'float16' | 'bfloat16'

/**
 * A dense tensor in row-major order. Tensors of onnxruntime and of transformers.js fit as they are.
 * Without `type`, a Float32Array means float32 and a Float16Array float16.
 */
export interface Tensor {
  readonly data: Float32Array | Uint16Array
  readonly dims: readonly number[]
  readonly type?: TensorType
}

/** What inputs may be: a Tensor, or one whose data is a Float16Array where the runtime has it. */
export interface TensorLike {
  readonly data: ArrayBufferView
  readonly dims: readonly number[]
  readonly type?: string
}

/**
 * A boolean mask over [batch, heads, query rows, keys]; lower ranks align to the right, and an axis of
 * size 1 broadcasts (the key axis is full). With `bits`, every row of keys starts a new Uint32, bit 0 first.
 */
export interface MaskTensor {
  readonly data: Uint8Array | Uint32Array
  readonly dims: readonly number[]
  readonly bits?: boolean
}

/** Inclusive distances from a query's own position to the keys it sees; an absent side is open. */
export interface Window {
  readonly left?: number
  readonly right?: number
}

export interface AttentionOptions {
  /** Query heads of rank-3 tensors [batch, sequence, heads * headDim]; default 1. */
  readonly heads?: number
  /** Key/value heads of rank-3 tensors; default `heads`. Query head h reads floor(h * kvHeads / heads). */
  readonly kvHeads?: number
  /** Axes of rank-4 tensors: [batch, heads, sequence, headDim] (default) or [batch, sequence, heads, headDim]. */
  readonly layout?: 'bhsd' | 'bshd'
  /** Factor of the scores, any finite number; default 1 / sqrt(headDim). */
  readonly scale?: number
  /** Scores become softcap * tanh(score / softcap); 0 means off. */
  readonly softcap?: number
  /** Keys up to the query's position: `true` for equal lengths or with `queryOffset`, else say which corner aligns. */
  readonly causal?: boolean | 'top-left' | 'bottom-right'
  /** Position of query row 0, one number or one per batch item. */
  readonly queryOffset?: number | Int32Array
  /** Sliding window around the query's position. */
  readonly window?: Window
  /** True (non-zero) means attend. */
  readonly keep?: MaskTensor
  /** True (non-zero) means ignore. */
  readonly drop?: MaskTensor
  /** Added to the scores; a real -Infinity masks. Broadcast as the masks are. */
  readonly bias?: TensorLike
  /** Linear position bias -slope * |p - j|: `true` for the standard slopes, or one slope per query head. */
  readonly alibi?: boolean | Float32Array
  /** One logit per query head that joins the denominator of the softmax and has no value. */
  readonly sinks?: Float32Array
  /** Valid keys per batch item, counted from the first (an end: a left pad counts). */
  readonly keyLengths?: Int32Array
  /** Valid query rows per batch item; the others give 0. */
  readonly queryLengths?: Int32Array
  /** Keys at the start of each batch item that are padding. */
  readonly leftPad?: Int32Array
  /** Ragged batch: first token of every sequence and the total, for rank-3 [tokens, heads, headDim]. */
  readonly cuSeqlens?: { readonly q: Int32Array; readonly k: Int32Array }
  /** Where the output goes; has the output's type and dims and shares no memory with an input. */
  readonly out?: TensorLike
  /**
   * Arithmetic of the two products; softmax is always float32. Default 'float32'. Below it the output is off by at most
   * 5e-4 ('int16'), 6e-3 ('bfloat16') or 2e-2 ('int8') of its length, outliers or not: what a precision would move too
   * far is computed in float32. The native backend has these on CPUs that do, WASM has 'int16'; elsewhere a RangeError
   * says what is there. Items of up to 16 query rows, and what is shown of weights and scores, stay in float32.
   */
  readonly precision?: 'float32' | 'int16' | 'bfloat16' | 'int8'
  /** Threads of this call; default the backend's. */
  readonly threads?: number
}

export interface AsyncOptions extends AttentionOptions {
  /** Stops the work itself; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface WeightsOptions extends AttentionOptions {
  /** What to look at; default ['weights']. */
  readonly want?: readonly ('weights' | 'scores' | 'mass')[]
  /** The step of the pipeline at which scores are read; default 'masked', what softmax sees. */
  readonly scoresAt?: 'scaled' | 'capped' | 'masked'
  /** Only these query rows of every item; default all. */
  readonly rows?: Int32Array
}

/** The options that fit beside a KvCache, which has heads, lengths and items of its own (and, rolling, a window). */
export type BesideCache<Options> = Omit<Options, 'kvHeads' | 'keyLengths' | 'cuSeqlens'>

/** Attention over a part of the keys, for an exact merge. */
export interface Partial {
  /** float32, in q's layout. */
  readonly output: Tensor
  /** Natural log of the sum of exponentials, [batch, heads, query rows]; ragged [tokens, heads]. */
  readonly lse: Tensor
  /** The layout of a rank-4 output where it is not the default. */
  readonly layout?: 'bhsd' | 'bshd'
}

export interface WeightsResult {
  readonly output: Tensor
  readonly lse: Tensor
  /** [batch, heads, rows, keys]. */
  readonly weights?: Tensor
  /** [batch, heads, rows, keys]. */
  readonly scores?: Tensor
  /** Sum of the weights per key, [batch, heads, keys]. */
  readonly mass?: Tensor
}
