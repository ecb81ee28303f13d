/**
 * What a library must offer to be measured: a peer is one module (bench/peers/*.mjs) whose default
 * export is a Contender, and so is every backend of our own (bench/contenders).
 */

/** Ragged shapes count sequences as `batch`, and in `queries` and `keys` the rows of the longest one. */
export interface Shape {
  name: string
  batch: number
  /** Query heads. */
  heads: number
  kvHeads: number
  queries: number
  keys: number
  headDim: number
  valueDim: number
  causal: 'none' | 'top-left' | 'bottom-right'
  /** Keys in use per sequence, where fewer than `keys`; the rest is never read. */
  keyLengths?: number[]
  /** Ragged: row i of sequence s is row cuSeqlens[s] + i of q, k and v, which are [tokens, heads, dim]. */
  cuSeqlens?: number[]
  /** Keys and values come from the cache that a library has for decoding, if it has one, of this storage. */
  cache?: 'float32' | 'float16' | 'int8'
  /** What the call asks for beside. A contender that does not know one of them says so in `prepare`. */
  options?: CallOptions
  note: string
}

/**
 * Options of a call with as many keys as queries, so that row i stands at position i; in the order in which
 * scores go through them.
 */
export interface CallOptions {
  /** q, k, v and the output are kept in float16; the numbers of q, k and v fit into it exactly. */
  float16?: boolean
  /** Arithmetic of the two products, where it is not float32. Only this package is asked. */
  precision?: 'int16' | 'bfloat16' | 'int8'
  /** Scores become softcap * tanh(score / softcap). */
  softcap?: number
  /** `Work.bias` is added to the scores. */
  bias?: boolean
  /** -slope * |i - j| is added to the scores, with `Work.slopes`. */
  alibi?: boolean
  /** Only keys at most so far before and after the row's own position; both ends count. */
  window?: { left: number; right: number }
  /** Only keys that `Work.keep` does not leave out. */
  keep?: boolean
}

export interface Work {
  shape: Shape
  /** [batch, heads, queries, headDim]; ragged [tokens, heads, headDim]. */
  q: Float32Array
  /** [batch, kvHeads, keys, headDim]; ragged [tokens, kvHeads, headDim]. */
  k: Float32Array
  /** [batch, kvHeads, keys, valueDim]; ragged [tokens, kvHeads, valueDim]. */
  v: Float32Array
  /** [heads, queries, keys] */
  bias?: Float32Array
  /** [heads] */
  slopes?: Float32Array
  /** [queries, keys], 1 where a key is attended to, 0 where it is left out. */
  keep?: Uint8Array
  threads: number
  /** The way chosen in an earlier round: it is taken again, so that choosing costs once. */
  how?: string
}

export interface Prepared {
  /** Attention once, over the same inputs every time. */
  run(): void | Promise<void>
  /** Result of the last run: [batch, heads, queries, valueDim]; ragged [tokens, heads, valueDim]. */
  output(): Float32Array
  /** Which of its ways was taken, e.g. 'contrib GroupQueryAttention'. */
  how: string
  /** Seconds per run over about so many milliseconds, by a peer that is measured in its own process. */
  times?(milliseconds: number): Promise<number[]>
  /** Ends what was started for it, such as a process of its own. */
  close?(): void | Promise<void>
  /** Where the work is another than attention over these inputs, as that of an RNN beside it. */
  instead?: OtherTask
}

/** What another task than attention comes to, and its exact result. */
export interface OtherTask {
  flops: number
  /** Read and written at least once. */
  bytes: number
  expected(): Float64Array
}

export interface Contender {
  name: string
  /** undefined: it can run here; otherwise why not. */
  available(): Promise<string | undefined>
  versions(): Promise<Record<string, string>>
  /** A string says why this shape cannot be done. */
  prepare(work: Work): Promise<Prepared | string>
}
