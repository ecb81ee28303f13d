/**
 * The public functions by their types, and where they get their backends from.
 * @module
 */
import type { Backend, BackendName } from '../backends/backend.ts'
import type { KvCache } from './cache/kv-cache.ts'
import type { PlanDescription } from './describe.ts'
import type {
  AsyncOptions,
  AttentionOptions,
  BesideCache,
  Partial,
  Tensor,
  TensorLike,
  WeightsOptions,
  WeightsResult,
} from './types.ts'

/** Which backend serves, and why each other one does not. */
export interface Info {
  readonly backend: BackendName
  readonly isa: string
  readonly threads: number
  readonly version: string
  readonly candidates: readonly Candidate[]
}

export interface Candidate {
  readonly name: BackendName
  /** Whether it would run here. */
  readonly ok: boolean
  /** Why it was picked, passed over, or cannot run. */
  readonly reason: string
}

/** Where the functions get their backends from; opened at the first use, never at import. */
export interface Provider {
  readonly backend: () => Backend
  /** Serves the plans for which the backend has no kernel. */
  readonly reference: () => Backend
  readonly info: () => Info
}

type PartialOptions = Omit<AttentionOptions, 'sinks'>

/** The public functions, as `load()` returns them. Each takes keys and values as two tensors, or in a cache. */
export interface Attention {
  attention(q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions): Tensor
  attention(q: TensorLike, cache: KvCache, options?: BesideCache<AttentionOptions>): Tensor
  attentionAsync(q: TensorLike, k: TensorLike, v: TensorLike, options?: AsyncOptions): Promise<Tensor>
  attentionAsync(q: TensorLike, cache: KvCache, options?: BesideCache<AsyncOptions>): Promise<Tensor>
  attentionPartial(q: TensorLike, k: TensorLike, v: TensorLike, options?: PartialOptions): Partial
  attentionPartial(q: TensorLike, cache: KvCache, options?: BesideCache<PartialOptions>): Partial
  attentionWeights(q: TensorLike, k: TensorLike, v: TensorLike, options?: WeightsOptions): WeightsResult
  attentionWeights(q: TensorLike, cache: KvCache, options?: BesideCache<WeightsOptions>): WeightsResult
  mergePartials(parts: readonly Partial[], options?: { readonly sinks?: Float32Array }): Partial
  plan(q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions): PlanDescription
  plan(q: TensorLike, cache: KvCache, options?: BesideCache<AttentionOptions>): PlanDescription
  info(): Info
  /** The same class whatever the backend: a cache may be read by any of them. */
  readonly KvCache: typeof KvCache
}
