/**
 * Keys of an item, in pieces that lie in one page each.
 * @module
 */
import { PAGE_KEYS } from '../plan.ts'

/** Keys [first, first + count), which begin at a row of a page. */
export interface Run {
  readonly first: number
  readonly count: number
  /** Which of the item's pages, and which row in it. */
  readonly index: number
  readonly row: number
}

export function* runs(begin: number, end: number): Generator<Run> {
  for (let first = begin; first < end; ) {
    const row = first % PAGE_KEYS
    const count = Math.min(PAGE_KEYS - row, end - first)
    yield { first, count, index: Math.floor(first / PAGE_KEYS), row }
    first += count
  }
}
