/**
 * Products of lower precision: which items have them, and by which keys of a block.
 * @module
 */
import { Feature, type Plan } from '../attention/plan.ts'
import type { Item } from './wasm-chunk.ts'
import { KEY_BLOCK } from './wasm-kernel.ts'
import type { Block } from './wasm-reach.ts'

/** Items of fewer rows wait for memory, and stay in float32. */
const LEAST_ROWS = 17

/** Whether an item's products are in int16. What is shown of them is float32. */
export function isLow({ features }: Plan, { queryRows }: Pick<Item, 'queryRows'>): boolean {
  return (features & Feature.int16) !== 0 && queryRows >= LEAST_ROWS
}

/** All keys of a block that any row of the item may see: units follow from them, so that no chunk's own share shows. */
export function wholeBlock([block]: Block, { keyBegin, keyEnd }: Item): Block {
  return [block, Math.max(keyBegin - block, 0), Math.min(keyEnd - block, KEY_BLOCK)]
}
