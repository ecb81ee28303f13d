/**
 * Pages of keys and values, counted by how many tables hold each one.
 * A cache, its forks and the calls that are reading them share one pool.
 * @module
 */
import type { Backend } from '../../backends/backend.ts'
import { PAGE_KEYS, rowBytes, SCALE_BYTES, Storage, type Stored } from '../plan.ts'
import { allocate, arrayOf } from './memory.ts'

/** Sizes of one token, and how its numbers are stored. */
export interface TokenSizes {
  readonly type: number
  readonly kvHeads: number
  readonly headDim: number
  readonly valueDim: number
}

/**
 * Pages of keys, or of values, one after another: [page][kvHead][PAGE_KEYS][channels].
 * In int8 the scales of a head's rows follow its codes.
 */
export class Store {
  readonly type: number
  readonly channels: number
  /** Elements of one page, and of one head in it. */
  readonly page: number
  readonly head: number
  /** Growing replaces the array, so that a call which reads the old one is not disturbed. */
  data: Stored

  constructor(type: number, kvHeads: number, channels: number) {
    this.type = type
    this.channels = channels
    this.head = PAGE_KEYS * (type === Storage.int8 ? rowBytes(type, channels) : channels)
    this.page = kvHeads * this.head
    this.data = this.allocate(0)
  }

  /** Bytes of so many pages. */
  bytes(pages: number): number {
    return pages * this.page * this.data.BYTES_PER_ELEMENT
  }

  /** Room for so many pages: anywhere, or at a place of a buffer. */
  allocate(pages: number, buffer?: ArrayBuffer, at?: number): Stored {
    const length = pages * this.page
    return buffer ? arrayOf(this.type, length, buffer, at) : allocate(this.type, length)
  }

  /** Where a row of a page begins. */
  start(page: number, head: number, row: number): number {
    return page * this.page + head * this.head + row * this.channels
  }

  /** Scales of int8, of all pages. */
  get scales(): Float32Array {
    const { buffer, byteOffset, byteLength } = this.data
    return new Float32Array(buffer, byteOffset, byteLength / SCALE_BYTES)
  }

  /** Where the scale of a row lies among them. */
  scaleAt(page: number, head: number, row: number): number {
    return this.start(page, head, PAGE_KEYS) / SCALE_BYTES + row
  }

  copyPage(from: number, to: number): void {
    this.data.copyWithin(to * this.page, from * this.page, (from + 1) * this.page)
  }
}

export class Pool {
  readonly keys: Store
  readonly values: Store
  /** Bytes of one page, keys and values. */
  readonly pageBytes: number
  readonly #maxBytes: number | undefined
  /** How many hold each page; 0 where it is free. */
  readonly #holders: number[] = []
  #free: number[] = []
  #storage: Backend['storage']

  constructor({ type, kvHeads, headDim, valueDim }: TokenSizes, maxBytes: number | undefined) {
    this.keys = new Store(type, kvHeads, headDim)
    this.values = new Store(type, kvHeads, valueDim)
    this.pageBytes = PAGE_KEYS * kvHeads * (rowBytes(type, headDim) + rowBytes(type, valueDim))
    this.#maxBytes = maxBytes
  }

  /**
   * Makes sure that `pages` can be taken. Grows by doubling, so that all appending together stays linear.
   * @throws RangeError before anything is allocated or changed
   */
  reserve(pages: number): void {
    const missing = pages - this.#free.length
    if (missing <= 0) return
    const had = this.#holders.length
    const needed = had + missing
    const most = this.#maxBytes === undefined ? Number.POSITIVE_INFINITY : this.#maxBytes / this.pageBytes
    if (needed > most) {
      throw new RangeError(
        `maxBytes: expected storage of at most ${this.#maxBytes} bytes, got a need of ${needed * this.pageBytes} (${needed} pages of ${PAGE_KEYS} tokens)`,
      )
    }
    this.#grow(Math.max(needed, Math.min(2 * had, Math.floor(most))))
  }

  /** Moves once to where the kernels of a backend read in place, and grows there; the first backend that has it settles it. */
  settle(storage: Backend['storage']): void {
    if (this.#storage || !storage) return
    this.#storage = storage
    this.#move(this.#holders.length)
  }

  #move(pages: number): void {
    const [keys, values] = this.#allocate(pages)
    keys.set(this.keys.data)
    values.set(this.values.data)
    this.keys.data = keys
    this.values.data = values
  }

  #grow(pages: number): void {
    this.#move(pages)
    // The lowest page is taken first, so that a cache which never forks lies in order.
    const added = Array.from({ length: pages - this.#holders.length }, (_, n) => pages - 1 - n)
    this.#free = [...added, ...this.#free]
    for (const page of added) this.#holders[page] = 0
  }

  #allocate(pages: number): [Stored, Stored] {
    const keyBytes = this.keys.bytes(pages)
    try {
      const place = this.#storage?.(keyBytes + this.values.bytes(pages))
      if (place) {
        const { buffer, at } = place
        return [this.keys.allocate(pages, buffer, at), this.values.allocate(pages, buffer, at + keyBytes)]
      }
      return [this.keys.allocate(pages), this.values.allocate(pages)]
    } catch (cause) {
      const needed = pages * this.pageBytes
      throw new RangeError(`bytes: expected storage that this machine can give, got a need of ${needed}`, {
        cause,
      })
    }
  }

  /** A free page, which `reserve` has made sure of; the caller holds it. */
  take(): number {
    const page = this.#free.pop()!
    this.#holders[page] = 1
    return page
  }

  hold(page: number): void {
    this.#holders[page]++
  }

  /** Gives a page back; it is free when nobody else holds it. */
  release(page: number): void {
    if (--this.#holders[page] === 0) this.#free.push(page)
  }

  isShared(page: number): boolean {
    return this.#holders[page] > 1
  }

  /** Exchanges a shared page for a copy; takes one page. */
  copy(page: number): number {
    const own = this.take()
    this.keys.copyPage(page, own)
    this.values.copyPage(page, own)
    this.release(page)
    return own
  }
}
