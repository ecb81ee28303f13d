/**
 * Room for the operands of products of lower precision.
 * @module
 */
import { Feature, type Plan } from '../attention/plan.ts'
import { KEY_BLOCK, STRIP } from './wasm-kernel.ts'

/** Bytes of the words of one row for each pair of channels, and before them, as in assembly/low-operands.ts. */
const pairBytes = (plan: Plan): number => Math.ceil(plan.headDim / 2) * 4
const STRIP_HEAD = 64
const KEYS_HEAD = 256

/** Of a strip of queries; 0 where no item has such products. */
export function lowStripBytes(plan: Plan): number {
  return plan.features & Feature.int16 ? STRIP_HEAD + STRIP * pairBytes(plan) : 0
}

/** Of a block of keys: its words, their units and a second set of scores; and of its values, with units and means. */
export function lowBlockBytes(
  plan: Plan,
  valueStride: number,
): { words: number; keys: number; values: number } {
  if (!(plan.features & Feature.int16)) return { words: 0, keys: 0, values: 0 }
  const words = KEY_BLOCK * pairBytes(plan)
  return { words, keys: KEYS_HEAD + words + KEY_BLOCK * STRIP * 4, values: (2 + KEY_BLOCK / 2) * valueStride }
}
