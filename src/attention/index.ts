/**
 * What every entry of the package exports, whatever runtime it serves.
 * @module
 */

export type { Attention, Candidate, Info } from './api.ts'
export type { AppendOptions } from './cache/append.ts'
export { KvCache } from './cache/kv-cache.ts'
export type { CacheType, KvCacheOptions } from './cache/options.ts'
export type { PlanDescription } from './describe.ts'
export { mergePartials } from './merge.ts'
export { fromWindowSize } from './positions.ts'
export type { LoadOptions } from './provider.ts'
export type {
  AsyncOptions,
  AttentionOptions,
  BesideCache,
  MaskTensor,
  Partial,
  Tensor,
  TensorLike,
  TensorType,
  WeightsOptions,
  WeightsResult,
  Window,
} from './types.ts'
