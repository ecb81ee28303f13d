/**
 * How a plan is cut into chunks: query rows of one batch item that share a key/value head, or the same rows of several.
 * The rows of the heads of a group are stacked as row * group + head, so that each block of keys is copied once for all.
 * @module
 */
import { type Arrays, ITEM_WORDS, type Plan } from '../attention/plan.ts'
import type { Arena } from './wasm-arena.ts'
import { STRIP } from './wasm-kernel.ts'
import type { Layout } from './wasm-layout.ts'

/** A call under way. */
export interface Call {
  readonly plan: Plan
  readonly arrays: Arrays
  readonly arena: Arena
  readonly layout: Layout
}

/** One item's words by their names, and its index in the batch. */
export type Item = Readonly<Record<(typeof ITEM_WORDS)[number] | 'index', number>>

export interface Chunk {
  readonly item: Item
  /** The first key/value head, and how many are worked on together. */
  readonly kvHead: number
  readonly heads: number
  /** Query heads that read this key/value head; the first is kvHead * group. */
  readonly group: number
  /** First stacked row, and how many. */
  readonly first: number
  readonly rows: number
}

export function itemOf(plan: Plan, index: number): Item {
  const at = index * ITEM_WORDS.length
  const [queryFirst, queryTotal, queryRows, keyFirst, keyTotal, keyBegin, keyEnd, position] =
    plan.items.subarray(at)
  return { index, queryFirst, queryTotal, queryRows, keyFirst, keyTotal, keyBegin, keyEnd, position }
}

/** The chunks of an item, about equal in size. */
export function* chunksOf(plan: Plan, item: Item, layout: Layout): Generator<Chunk, void, void> {
  const group = plan.heads / plan.kvHeads
  const total = item.queryRows * group
  const size = STRIP * Math.ceil(total / STRIP / Math.ceil(total / layout.rows))
  for (let kvHead = 0; kvHead < plan.kvHeads; kvHead += layout.heads) {
    const heads = Math.min(layout.heads, plan.kvHeads - kvHead)
    for (let first = 0; first < total; first += size) {
      yield { item, kvHead, heads, group, first, rows: Math.min(size, total - first) }
    }
  }
}

/** Query row of the item, and head of the group, that a row of the chunk stands for. */
export function unstack(chunk: Chunk, row: number): [queryRow: number, member: number] {
  const stacked = chunk.first + row
  const queryRow = Math.floor(stacked / chunk.group)
  return [queryRow, stacked - queryRow * chunk.group]
}
