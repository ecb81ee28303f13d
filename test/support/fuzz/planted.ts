/**
 * The reference with a defect, to see that a hunt finds it.
 * @module
 */
import type { Attention, AttentionOptions, Tensor, TensorLike } from '../../../src/index.ts'
import { type Platform, platforms } from '../platforms.ts'

/** Attention over tensors; a planted defect has nothing to do with caches. */
type Run = (q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions) => Tensor

export function planted(defect: (right: Run) => Run): Platform {
  const reference = platforms.find(({ backend }) => backend === 'reference')!
  const api = reference.open()
  return {
    ...reference,
    name: 'planted',
    open: () => ({ ...api, attention: defect(api.attention) as Attention['attention'] }),
  }
}
