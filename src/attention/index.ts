/**
 * What every entry of the package exports, whatever runtime it serves.
 * @module
 */

export type { PlanDescription } from './describe.ts'
export type { Attention, Candidate, Info } from './facade.ts'
export { mergePartials } from './merge.ts'
export { fromWindowSize } from './positions.ts'
export type { LoadOptions } from './provider.ts'
export type {
  AsyncOptions,
  AttentionOptions,
  MaskTensor,
  Partial,
  Tensor,
  TensorLike,
  TensorType,
  WeightsOptions,
  WeightsResult,
  Window,
} from './types.ts'
