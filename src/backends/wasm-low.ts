/**
 * Products of lower precision: which items have them, and where their operands lie.
 * @module
 */
import { Feature, type Plan } from '../attention/plan.ts'
import type { Item } from './wasm-chunk.ts'
import { KEY_BLOCK, STRIP } from './wasm-kernel.ts'
import type { Block } from './wasm-reach.ts'

/** Items of fewer rows wait for memory, and stay in float32. */
const LEAST_ROWS = 17

/** Whether an item's products are in int16. What is shown of them is float32. */
export function isLow({ features }: Plan, { queryRows }: Pick<Item, 'queryRows'>): boolean {
  return (features & Feature.int16) !== 0 && queryRows >= LEAST_ROWS
}

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

/** All keys of a block that any row of the item may see: units follow from them, so that no chunk's own share shows. */
export function wholeBlock([block]: Block, { keyBegin, keyEnd }: Item): Block {
  return [block, Math.max(keyBegin - block, 0), Math.min(keyEnd - block, KEY_BLOCK)]
}
