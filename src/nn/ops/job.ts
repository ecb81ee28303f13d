/**
 * What a backend does for a Transformer block beside attention. Jobs are flat: arrays, sizes and flags, checked before they
 * are made. Every array is dense and row-major, and stays the caller's.
 * @module
 */
import type { BackendName } from '../../backends/backend.ts'

/** How a packed weight is kept. int8: one scale per output channel, activations quantised by row as they come. */
export type WeightStorage = 'float32' | 'float16' | 'bfloat16' | 'int8'

/** What comes behind a product: x, or gelu by erf, by tanh, x * sigmoid(x), max(x, 0). */
export type Activation = 'gelu' | 'gelu-tanh' | 'silu' | 'relu'

/** A matrix as PyTorch's `Linear.weight` holds it. */
export interface Weight {
  /** [outputs, inputs]; Uint16Array holds the bits of half precision. */
  readonly data: Float32Array | Uint16Array
  readonly type: 'float32' | 'float16' | 'bfloat16'
  readonly outputs: number
  readonly inputs: number
}

/** A weight in the order of a backend's kernel; usable by the ops that packed it alone. */
export interface PackedWeight {
  readonly inputs: number
  /** Outputs of each result array; one entry unless packed as several, as Q, K and V are. */
  readonly sections: readonly number[]
  readonly storage: WeightStorage
  readonly bytes: number
  /** Gives the memory back; a job with it throws afterwards. */
  dispose(): void
}

/** y = activation(x weightᵀ + bias) + residual. */
export interface LinearJob {
  readonly kind: 'linear'
  /** [rows, inputs]. */
  readonly x: Float32Array
  readonly rows: number
  readonly weight: PackedWeight
  /** One per output, sections one after another. */
  readonly bias?: Float32Array
  readonly activation?: Activation
  /** [rows, outputs] of a weight of one section; may be the very array of `out`. */
  readonly residual?: Float32Array
  /** [rows, outputs of the section], one array per section; none overlaps x. */
  readonly out: readonly Float32Array[]
  /** Of int8 weights: what the activations are rounded to. Default 'int8'. */
  readonly activations?: 'int8' | 'int16'
}

/** LayerNorm, or RMSNorm where `mean` is false: (x - mean) / sqrt(variance + epsilon) * scale + shift, row by row. */
export interface NormJob {
  readonly kind: 'norm'
  /** [rows, width]. */
  readonly x: Float32Array
  readonly rows: number
  readonly width: number
  /** Subtract the mean of the row first. */
  readonly mean: boolean
  readonly epsilon: number
  /** [width]. */
  readonly scale?: Float32Array
  /** [width]. */
  readonly shift?: Float32Array
  /** [rows, width]; may be x itself. */
  readonly out: Float32Array
}

/** out = activation(x), element by element; with `times`, multiplied by it: the gate of a gated feed-forward layer. */
export interface ActivateJob {
  readonly kind: 'activate'
  readonly x: Float32Array
  readonly activation: Activation
  readonly times?: Float32Array
  /** May be x or `times` itself. */
  readonly out: Float32Array
}

/** Rotary position embedding, in place: pairs (a, b) become (a cos - b sin, a sin + b cos). */
export interface RotateJob {
  readonly kind: 'rotate'
  /** [rows, heads, headDim]. */
  readonly x: Float32Array
  readonly rows: number
  readonly heads: number
  readonly headDim: number
  /** Channels that turn, the first ones of a head; even. */
  readonly rotary: number
  /** Pairs are (2t, 2t + 1); otherwise (t, t + rotary / 2). */
  readonly interleaved: boolean
  /** [positions, rotary / 2]. */
  readonly cos: Float32Array
  /** [positions, rotary / 2]. */
  readonly sin: Float32Array
  /** Row of the tables, per row of x. */
  readonly positions: Int32Array
}

export type Job = LinearJob | NormJob | ActivateJob | RotateJob

/** A backend of jobs. It never sees an option; it holds every array of a job against the job's sizes. */
export interface Ops {
  readonly name: BackendName
  /** As `info().isa` names it. */
  readonly isa: string
  /**
   * Packs a weight once for all calls. `sections` sum up to its outputs and get an array each.
   * @throws RangeError where this backend has no such storage
   */
  pack(weight: Weight, storage: WeightStorage, sections?: readonly number[]): PackedWeight
  /** Runs a job; the same bits with any number of threads, and for every row whatever rows come beside it. */
  run(job: Job): void
  /**
   * The same without holding up the event loop: off it where there are threads for that, else row by row with pauses.
   * An abort stops the work; the arrays of `out` are then unspecified.
   */
  runAsync(job: Job, signal?: AbortSignal): Promise<void>
}
