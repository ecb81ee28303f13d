/**
 * Which tokens each item of a batch has, and in which pages of the pool they lie.
 * @module
 */
import { PAGE_KEYS } from '../plan.ts'
import type { Pool } from './pool.ts'
import { runs } from './runs.ts'

/** A rolling window: the keys that a query sees, its own included, beside the first ones that it always sees. */
export interface Rolling {
  readonly window: number
  readonly sinkTokens: number
}

/** How many tokens an item has had, and up to which key those behind the sink tokens are gone (0: none is). */
export interface Extent {
  readonly length: number
  readonly evicted: number
}

/** The keys [begin, end) of an item that are still there, as one or two ranges. */
export function present(
  { length, evicted }: Extent,
  rolling: Rolling | undefined,
): (readonly [begin: number, end: number])[] {
  return evicted === 0
    ? [[0, length]]
    : [
        [0, rolling!.sinkTokens],
        [evicted, length],
      ]
}

/** In place of a page that the window has given back. */
const NO_PAGE = -1

export class PageTable {
  readonly lengths: Int32Array
  /** As in Extent. */
  readonly evicted: Int32Array
  readonly #pool: Pool
  readonly #rolling: Rolling | undefined
  /** Of each item: pages by the index of their keys, ascending. Sparse, as an item may have rolled very far. */
  readonly #pages: Map<number, number>[]

  constructor(pool: Pool, batch: number, rolling: Rolling | undefined) {
    this.#pool = pool
    this.#rolling = rolling
    this.lengths = new Int32Array(batch)
    this.evicted = new Int32Array(batch)
    this.#pages = Array.from({ length: batch }, () => new Map())
  }

  extent(item: number): Extent {
    return { length: this.lengths[item], evicted: this.evicted[item] }
  }

  /** The page of an item's keys from index * PAGE_KEYS on. */
  page(item: number, index: number): number {
    return this.#pages[item].get(index)!
  }

  /** Pages of all items. */
  get count(): number {
    return this.#pages.reduce((sum, pages) => sum + pages.size, 0)
  }

  /** A table of the same pages, held once more. */
  fork(): PageTable {
    const fork = new PageTable(this.#pool, this.lengths.length, this.#rolling)
    fork.lengths.set(this.lengths)
    fork.evicted.set(this.evicted)
    for (const [item, pages] of this.#pages.entries()) {
      for (const [index, page] of pages) {
        this.#pool.hold(page)
        fork.#pages[item].set(index, page)
      }
    }
    return fork
  }

  /**
   * Makes room for `counts[item]` more tokens behind those of each item, in pages that nobody else holds.
   * Keys that no row from the first new one on can see are given back.
   * @throws RangeError before anything has changed
   */
  extend(counts: Int32Array): void {
    const growing = [...counts.keys()].filter(item => counts[item] > 0)
    this.#pool.reserve(growing.reduce((sum, item) => sum + this.#needed(item, counts[item]), 0))
    for (const item of growing) this.#evict(item)
    for (const item of growing) {
      const pages = this.#pages[item]
      for (const { index } of runs(this.lengths[item], this.lengths[item] + counts[item])) {
        const page = pages.get(index)
        if (page === undefined) pages.set(index, this.#pool.take())
        else if (this.#pool.isShared(page)) pages.set(index, this.#pool.copy(page))
      }
      this.lengths[item] += counts[item]
    }
  }

  /**
   * Lays out items of which a window may have given back a part; the table is empty.
   * @throws RangeError before anything is allocated
   */
  restore(items: readonly Extent[]): void {
    const indices = items.map(extent => {
      const keys = present(extent, this.#rolling).flatMap(([begin, end]) => [...runs(begin, end)])
      return new Set(keys.map(({ index }) => index))
    })
    this.#pool.reserve(indices.reduce((sum, { size }) => sum + size, 0))
    for (const [item, { length, evicted }] of items.entries()) {
      this.lengths[item] = length
      this.evicted[item] = evicted
      for (const index of indices[item]) this.#pages[item].set(index, this.#pool.take())
    }
  }

  /** Forgets the tokens of an item from `length` on. */
  truncate(item: number, length: number): void {
    this.lengths[item] = length
    for (const [index, page] of this.#pages[item]) {
      if (index * PAGE_KEYS < length) continue
      this.#pages[item].delete(index)
      this.#pool.release(page)
    }
    // Down to the sink tokens, what comes next follows them without a gap.
    if (length <= (this.#rolling?.sinkTokens ?? 0)) this.evicted[item] = 0
  }

  /** Gives all pages back. */
  clear(): void {
    for (const item of this.lengths.keys()) this.truncate(item, 0)
  }

  /** The pages of all items in rows of equal width, as a plan wants them. */
  flat(): { pages: Int32Array; perItem: number } {
    const perItem = Math.ceil(this.lengths.reduce((most, length) => Math.max(most, length), 0) / PAGE_KEYS)
    const flat = new Int32Array(this.lengths.length * perItem).fill(NO_PAGE)
    for (const [item, pages] of this.#pages.entries())
      for (const [index, page] of pages) flat[item * perItem + index] = page
    return { pages: flat, perItem }
  }

  /** Pages that so many more tokens take, less those that they free; below 0 where they free more. */
  #needed(item: number, count: number): number {
    const pages = this.#pages[item]
    let needed = 0
    for (const { index } of runs(this.lengths[item], this.lengths[item] + count)) {
      const page = pages.get(index)
      if (page === undefined || this.#pool.isShared(page)) needed++
    }
    return this.#passed(item).reduce(
      (rest, [, page]) => (this.#pool.isShared(page) ? rest : rest - 1),
      needed,
    )
  }

  /** The first key that rows behind the present ones can see through the window. */
  #visibleFrom(item: number): number {
    return this.#rolling === undefined ? 0 : this.lengths[item] - this.#rolling.window + 1
  }

  /** Pages that lie between the sink tokens and what the next row can see. */
  #passed(item: number): [index: number, page: number][] {
    const end = this.#visibleFrom(item)
    const passed: [number, number][] = []
    for (const entry of this.#pages[item]) {
      const begin = entry[0] * PAGE_KEYS
      if (begin + PAGE_KEYS > end) break
      if (begin >= this.#rolling!.sinkTokens) passed.push(entry)
    }
    return passed
  }

  #evict(item: number): void {
    for (const [index, page] of this.#passed(item)) {
      this.#pages[item].delete(index)
      this.#pool.release(page)
    }
    const end = this.#visibleFrom(item)
    if (this.#rolling !== undefined && end > Math.max(this.#rolling.sinkTokens, this.evicted[item]))
      this.evicted[item] = end
  }
}
