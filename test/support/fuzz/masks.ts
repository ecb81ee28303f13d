/**
 * Masks and biases of a draft.
 * @module
 */
import type { OracleTensor } from '../../oracle/types.ts'
import { fillNormal } from '../fill.ts'
import type { Random } from '../random.ts'
import type { Draft, MaskDraft, Spread } from './draft.ts'
import { stored } from './storage.ts'

/** The length of each axis by its letter. */
export type SpreadSizes = Record<'b' | 'h' | 'q' | 'k' | '1', number>

function dimsOf(spread: Spread, sizes: SpreadSizes): number[] {
  return [...spread].map(axis => sizes[axis as keyof SpreadSizes])
}

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1)

/** Bytes, of which any but 0 is true; or words, whose bits behind the last key are noise. */
export function boolMask(
  source: Random,
  { spread, bits, share }: MaskDraft,
  sizes: SpreadSizes,
): OracleTensor {
  const dims = dimsOf(spread, sizes)
  const drawn = (): boolean => source.below(100) < share
  if (!bits)
    return {
      data: Uint8Array.from({ length: product(dims) }, () => (drawn() ? 1 + source.below(255) : 0)),
      dims,
    }
  const width = Math.ceil(sizes.k / 32)
  const data = Uint32Array.from({ length: product(dims.slice(0, -1)) * width }, () => source.word())
  for (let at = 0; at < data.length; at++) {
    for (let bit = 0; bit < Math.min(32, sizes.k - (at % width) * 32); bit++) {
      if (drawn()) data[at] |= 1 << bit
      else data[at] &= ~(1 << bit)
    }
  }
  return { data, dims, bits: true }
}

/** Some -Infinity, which masks, and some of the lowest numbers that do not. */
export function biasTensor(
  source: Random,
  { spread, type }: NonNullable<Draft['bias']>,
  sizes: SpreadSizes,
): OracleTensor {
  const dims = dimsOf(spread, sizes)
  const data = fillNormal(source, product(dims)).map(x => {
    const kind = source.below(24)
    return kind < 4 ? Number.NEGATIVE_INFINITY : kind === 4 ? -1e4 : 2 * x
  })
  return stored({ data, dims }, type)
}
