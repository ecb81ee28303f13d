/**
 * What a caller hands over, in the oracle's own words: it shares nothing with src, not even a type.
 * @module
 */

export interface OracleTensor {
  data: ArrayLike<number>
  dims: readonly number[]
  type?: 'float32' | 'float16' | 'bfloat16'
  /** On masks: 32 keys to a word, bit 0 the first key, each row of keys starting a new word. */
  bits?: boolean
}

export interface OracleOptions {
  scale?: number
  softcap?: number
  causal?: boolean | 'top-left' | 'bottom-right'
  queryOffset?: number | Int32Array
  window?: { left?: number; right?: number }
  keep?: OracleTensor
  drop?: OracleTensor
  bias?: OracleTensor
  alibi?: true | Float32Array
  sinks?: Float32Array
  keyLengths?: Int32Array
  queryLengths?: Int32Array
  leftPad?: Int32Array
  cuSeqlens?: { q: Int32Array; k: Int32Array }
  heads?: number
  kvHeads?: number
  layout?: 'bhsd' | 'bshd'
  /** For weights: the query rows whose weights count in the mass. */
  rows?: Int32Array
}

/** One evaluation of the formula, at the precision it was asked for. */
export interface Evaluation {
  /** In q's layout. */
  output: Float64Array
  /** [batch, heads, query rows], ragged [tokens, heads]. */
  lse: Float64Array
  /** [batch, heads, query rows, keys], ragged [1, heads, query tokens, key tokens]. */
  weights: Float64Array
  /** As weights, at the three steps of the pipeline: masked keys too, except in `masked`. */
  scores: { scaled: Float64Array; capped: Float64Array; masked: Float64Array }
  /** [batch, heads, keys]. */
  mass: Float64Array
}

/** The truth, and what plain float32 evaluations make of it. */
export interface OracleResult {
  exact: Evaluation
  /** Two of them, since the luck of one set of roundings is no measure where there are few numbers. */
  naive: Evaluation[]
  outputDims: readonly number[]
  lseDims: readonly number[]
  weightsDims: readonly number[]
  /** Per element of the output: the row's scale, the largest sum of w * |v| among its channels. */
  outputScale: Float64Array
  /** Per element of the lse: the larger of 1 and the row's largest |score|. */
  lseScale: Float64Array
  /** Per element of the weights: the row's largest weight. */
  weightsScale: Float64Array
}
