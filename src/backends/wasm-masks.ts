/**
 * What masks and bias look like to the kernel: which rows of them a chunk of query rows needs.
 * Rows that broadcast are brought once, whoever shares them.
 * @module
 */
import { Feature, type Plan } from '../attention/plan.ts'

export interface Mask {
  readonly name: 'keep' | 'drop' | 'bias'
  /** Strides to the next item, head and query row, in elements (words where the mask is bit-packed). */
  readonly batch: number
  readonly head: number
  readonly row: number
  /** Bits of a key in the arena: a bit, a byte or a float32. */
  readonly keyBits: 1 | 8 | 32
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
      keyBits: name === 'bias' ? 32 : plan[`${name}Bits`] ? 1 : 8,
    })
  }
  return masks
}

/** Heads of a group that have a row of their own. */
export function membersOf({ head }: Mask, group: number): number {
  return head === 0 ? 1 : group
}

/** The most rows of a mask that a chunk of so many query rows needs. */
export function mostRows(mask: Mask, group: number, chunkRows: number): number {
  return (mask.row === 0 ? 1 : Math.ceil(chunkRows / group) + 1) * membersOf(mask, group)
}
