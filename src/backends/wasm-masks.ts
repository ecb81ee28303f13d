/**
 * What masks and bias look like to the kernel: which rows of them a chunk of query rows needs.
 * Rows that broadcast are brought once, whoever shares them.
 * @module
 */
import { Feature, type Plan, Storage } from '../attention/plan.ts'

export interface Mask {
  readonly name: 'keep' | 'drop' | 'bias'
  /** Strides to the next item, head and query row, in elements (words where the mask is bit-packed). */
  readonly batch: number
  readonly head: number
  readonly row: number
  /** Bits of a key: one, a byte, or a number of the bias. */
  readonly keyBits: 1 | 8 | 16 | 32
}

export function masksOf(plan: Plan): Mask[] {
  const masks: Mask[] = []
  for (const name of ['keep', 'drop', 'bias'] as const) {
    if (!(plan.features & Feature[name])) continue
    masks.push({
      name,
      batch: plan[`${name}Batch`],
      head: plan[`${name}Head`],
      row: plan[`${name}Row`],
      keyBits: keyBitsOf(plan, name),
    })
  }
  return masks
}

function keyBitsOf(plan: Plan, name: Mask['name']): Mask['keyBits'] {
  if (name === 'bias') return plan.biasType === Storage.float32 ? 32 : 16
  return plan[`${name}Bits`] ? 1 : 8
}

/** Heads of a group that have a row of their own. */
export function membersOf({ head }: Mask, group: number): number {
  return head === 0 ? 1 : group
}

/** The most rows of a mask that a chunk of so many query rows needs. */
export function mostRows(mask: Mask, group: number, chunkRows: number): number {
  return (mask.row === 0 ? 1 : Math.ceil((chunkRows - 1) / group) + 1) * membersOf(mask, group)
}
