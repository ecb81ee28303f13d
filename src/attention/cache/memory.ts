/**
 * The memory of caches, and what the backend at hand can do for it.
 * @module
 */
import { Storage, type Stored } from '../plan.ts'

/** Smaller storage has no room for a page of 2 MiB. */
const LARGE_BYTES = 2 ** 22

let prepare: (data: Stored) => void = () => {}

/** An entry's way to the backend, for large storage before it is written. */
export function prepareStorageBy(backendsWay: (data: Stored) => void): void {
  prepare = backendsWay
}

/** Zeros. @throws RangeError where there is no memory */
export function allocate(type: number, length: number): Stored {
  const data = arrayOf(type, length)
  if (data.byteLength >= LARGE_BYTES) prepare(data)
  return data
}

/** Numbers of a storage type, at a place of a buffer or in memory of their own. */
export function arrayOf(type: number, length: number, buffer?: ArrayBuffer, at?: number): Stored {
  const kind = { [Storage.float32]: Float32Array, [Storage.float16]: Uint16Array }[type] ?? Int8Array
  return buffer ? new kind(buffer, at, length) : new kind(length)
}
