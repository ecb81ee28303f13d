/**
 * Which keys the rows of a chunk see by position, and the blocks in which these lie.
 * @module
 */
import { rowRange } from '../attention/plan.ts'
import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { KEY_BLOCK, STATE, STRIP } from './wasm-kernel.ts'
import { stateOf } from './wasm-layout.ts'

/** Keys [begin, end), in absolute places of the item. */
export type Span = readonly [begin: number, end: number]

/** A block of keys: its first key, and the part [from, to) of it that is needed. */
export type Block = readonly [block: number, from: number, to: number]

/** Where the range of a row without keys begins; it ends at 0. */
const NO_BEGIN = 2 ** 31 - 1

/** Writes the ranges and positions of a chunk's rows into their states; returns the first keys and the window of all. */
export function openRows({ plan, arena, layout }: Call, chunk: Chunk): Span[] {
  const { item } = chunk
  let begin = NO_BEGIN
  let end = 0
  let firstEnd = 0
  let before = -1
  let low = NO_BEGIN
  let high = 0
  for (let row = 0; row < Math.ceil(chunk.rows / STRIP) * STRIP; row++) {
    // Spare lanes of the last strip repeat its last row, as packQueries does.
    const [queryRow] = unstack(chunk, Math.min(row, chunk.rows - 1))
    if (queryRow !== before) {
      before = queryRow
      ;[low, high] = rowRange(plan, item.index, queryRow)
      const firstKeys = Math.min(plan.sinkTokens, high)
      if (firstKeys > item.keyBegin) firstEnd = Math.max(firstEnd, firstKeys)
      if (low < high) {
        begin = Math.min(begin, low)
        end = Math.max(end, high)
      } else {
        low = NO_BEGIN
        if (firstKeys <= item.keyBegin) high = 0
      }
    }
    const state = stateOf(layout, row)
    arena.ints[state + STATE.begin] = low
    arena.ints[state + STATE.end] = high
    arena.ints[state + STATE.position] = item.position + queryRow
  }
  return [
    [item.keyBegin, firstEnd],
    [begin, end],
  ]
}

/** The blocks that spans touch, in order, each once; one block covers what lies between two spans in it. */
export function* blocksOf(spans: readonly Span[]): Generator<Block, void, void> {
  let next = 0
  for (const [begin, end] of spans) {
    for (let block = Math.max(next, begin - (begin % KEY_BLOCK)); block < end; block += KEY_BLOCK) {
      let from = KEY_BLOCK
      let to = 0
      for (const [first, last] of spans) {
        if (first >= last || first >= block + KEY_BLOCK || last <= block) continue
        from = Math.min(from, Math.max(first - block, 0))
        to = Math.max(to, Math.min(last - block, KEY_BLOCK))
      }
      yield [block, from, to]
      next = block + KEY_BLOCK
    }
  }
}
