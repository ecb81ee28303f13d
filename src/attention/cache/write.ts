/**
 * Numbers as a cache stores them.
 * @module
 */
import { float16OfBits } from '../../numeric/half.ts'
import { toInt8 } from '../../numeric/int8.ts'
import { wrongValue } from '../check.ts'
import { Storage } from '../plan.ts'
import type { Source } from '../tensor.ts'
import type { Store } from './pool.ts'

/** From here on float32 numbers round to a float16 that is infinite. */
const BEYOND_FLOAT16 = 65520

/**
 * Refuses what would come out as something else: a finite number that float16 rounds to infinity, and what is no finite
 * number in int8, which has no code for it. Infinities and NaN are float16 numbers like any other.
 */
export function checkRow(name: string, type: number, numbers: Float32Array, at: number, count: number): void {
  const half = type === Storage.float16
  const end = half ? BEYOND_FLOAT16 : Number.POSITIVE_INFINITY
  for (let i = at; i < at + count; i++) {
    if (Math.abs(numbers[i]) < end || (half && !Number.isFinite(numbers[i]))) continue
    const fits = half ? 'numbers that float16 can hold (below 65520)' : 'finite numbers, for an int8 cache'
    throw wrongValue(`${name}.data[${i}]`, fits, numbers[i])
  }
}

/** A row of a page, of one head. */
export interface Place {
  readonly page: number
  readonly head: number
  readonly row: number
}

/** Stores `count` rows, which lie `stride` apart from `from` on, in rows of a page that follow each other. */
export function writeRows(
  store: Store,
  place: Place,
  source: Source,
  from: number,
  stride: number,
  count: number,
): void {
  const { page, head, row } = place
  const to = store.start(page, head, row)
  if (store.type === Storage.int8) writeInt8(store, place, source.data as Float32Array, from, stride, count)
  else if (store.type === source.type) copy(store, to, source, from, stride, count)
  else writeFloat16(store, to, source.data as Float32Array, from, stride, count)
}

function copy(store: Store, to: number, { data }: Source, from: number, stride: number, count: number): void {
  const { channels } = store
  // Rows of one head lie in one piece, or apart by the other heads.
  const pieces = stride === channels ? 1 : count
  const size = (count / pieces) * channels
  for (let piece = 0; piece < pieces; piece++) {
    const at = from + piece * stride
    store.data.set(data.subarray(at, at + size), to + piece * size)
  }
}

function writeFloat16(
  { data, channels }: Store,
  to: number,
  numbers: Float32Array,
  from: number,
  stride: number,
  count: number,
): void {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length)
  for (let n = 0; n < count; n++, from += stride, to += channels) {
    for (let c = 0; c < channels; c++) data[to + c] = float16OfBits(bits[from + c])
  }
}

function writeInt8(
  store: Store,
  { page, head, row }: Place,
  numbers: Float32Array,
  from: number,
  stride: number,
  count: number,
): void {
  const { channels, scales } = store
  const codes = store.data as Int8Array
  const to = store.start(page, head, row)
  const scale = store.scaleAt(page, head, row)
  for (let n = 0; n < count; n++)
    scales[scale + n] = toInt8(numbers, from + n * stride, codes, to + n * channels, channels)
}
