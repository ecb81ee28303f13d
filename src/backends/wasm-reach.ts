/**
 * Which keys the rows of a chunk see by position, and the blocks in which these lie.
 * @module
 */
import { rowRange } from '../attention/plan.ts'
import type { Call, Chunk } from './wasm-chunk.ts'
import { KEY_BLOCK } from './wasm-kernel.ts'

/** Keys [begin, end), in absolute places of the item. */
export type Span = readonly [begin: number, end: number]

/** A block of keys: its first key, and the part [from, to) of it that is needed. */
export type Block = readonly [block: number, from: number, to: number]

/**
 * The keys that a chunk's rows see: first keys that no window hides, and the window of all rows; empty ones are left out.
 * Along the rows ranges only move up, and by one key at most, so the first and the last of them say it.
 */
export function spansOf({ plan }: Call, { item, group, first, rows }: Chunk): Span[] {
  const [begin] = rowRange(plan, item.index, Math.floor(first / group))
  const [, end] = rowRange(plan, item.index, Math.floor((first + rows - 1) / group))
  const spans: Span[] = []
  const firstEnd = Math.min(plan.sinkTokens, end)
  if (item.keyBegin < firstEnd) spans.push([item.keyBegin, firstEnd])
  if (begin < end) spans.push([begin, end])
  return spans
}

/** The blocks that spans touch, in order, each once; one block covers what lies between two spans in it. */
export function* blocksOf(spans: readonly Span[]): Generator<Block, void, void> {
  let next = 0
  for (const [begin, end] of spans) {
    for (let block = Math.max(next, begin - (begin % KEY_BLOCK)); block < end; block = next) {
      next = block + KEY_BLOCK
      let from = KEY_BLOCK
      let to = 0
      for (const [first, last] of spans) {
        if (first >= next || last <= block) continue
        from = Math.min(from, Math.max(first - block, 0))
        to = Math.max(to, Math.min(last - block, KEY_BLOCK))
      }
      yield [block, from, to]
    }
  }
}
