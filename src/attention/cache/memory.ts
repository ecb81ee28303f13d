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

function arrayOf(type: number, length: number): Stored {
  if (type === Storage.int8) return new Int8Array(length)
  return type === Storage.float16 ? new Uint16Array(length) : new Float32Array(length)
}
