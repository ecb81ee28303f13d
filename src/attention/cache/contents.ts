/**
 * What a cache consists of.
 * @module
 */
import type { Sizes } from './options.ts'
import type { Pool } from './pool.ts'
import type { PageTable } from './table.ts'

/** A class, and not a shape, so that no caller of the package can make one. */
export class Contents {
  readonly sizes: Sizes
  /** Shared by a cache and its forks. */
  readonly pool: Pool
  readonly table: PageTable

  constructor(sizes: Sizes, pool: Pool, table: PageTable) {
    this.sizes = sizes
    this.pool = pool
    this.table = table
  }
}
