/**
 * A cache as bytes. All numbers are little-endian; u32 unless said otherwise:
 *
 *   magic (8 bytes), version, bytes in all (f64), type (0: float32, 1: float16, 3: int8), batch, kvHeads, headDim, valueDim,
 *     window (0: none), sinkTokens
 *   of every item: length, evicted
 *   of every item: keys [kvHead][key][headDim], then values [kvHead][key][valueDim], of the keys that are still there;
 *     numbers of the type; in int8 codes (i8), and after those of a head its scales [key] (f32)
 *   CRC-32 of all bytes before it
 *
 * Limits (`maxBytes`, `capacity`) are the host's, not the cache's, and are no part of it.
 * @module
 */
import { isScale } from '../../numeric/int8.ts'
import { checkInteger, tagOf, wrongType, wrongValue } from '../check.ts'
import { OPEN, rowBytes, SCALE_BYTES, Storage } from '../plan.ts'
import { Contents } from './contents.ts'
import { crc32 } from './crc32.ts'
import { MOST_TOKENS, type Sizes } from './options.ts'
import { Pool } from './pool.ts'
import { runs } from './runs.ts'
import { type Extent, PageTable, present, type Rolling } from './table.ts'

/** As in PNG: a byte beyond ASCII, and line ends of both kinds, which show a transfer as text. */
const MAGIC = [0x89, 0x4b, 0x56, 0x43, 0x0d, 0x0a, 0x1a, 0x0a]
const VERSION = 1
const TYPES: readonly number[] = [Storage.float32, Storage.float16, Storage.int8]
const WORD = 4
const HEADER_BYTES = MAGIC.length + WORD + 8 + 7 * WORD
const ITEM_BYTES = 2 * WORD

/** Numbers as their bits. */
type Bits = Uint32Array | Uint16Array | Uint8Array

/** Reads or writes numbers one after another. */
class Cursor {
  readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  put(...words: number[]): void {
    for (const word of words) {
      this.view.setUint32(this.at, word, true)
      this.at += WORD
    }
  }

  take(): number {
    this.at += WORD
    return this.view.getUint32(this.at - WORD, true)
  }

  putOne(numbers: Bits, index: number): void {
    const size = numbers.BYTES_PER_ELEMENT
    if (size === 4) this.view.setUint32(this.at, numbers[index], true)
    else if (size === 2) this.view.setUint16(this.at, numbers[index], true)
    else this.view.setUint8(this.at, numbers[index])
    this.at += size
  }

  takeOne(numbers: Bits, index: number): void {
    const size = numbers.BYTES_PER_ELEMENT
    if (size === 4) numbers[index] = this.view.getUint32(this.at, true)
    else if (size === 2) numbers[index] = this.view.getUint16(this.at, true)
    else numbers[index] = this.view.getUint8(this.at)
    this.at += size
  }
}

export function writeSnapshot(contents: Contents): Uint8Array {
  const { sizes, table } = contents
  const items = Array.from({ length: sizes.batch }, (_, item) => table.extent(item))
  const total = bytesOf(sizes, items)
  const bytes = new Uint8Array(total)
  const cursor = new Cursor(bytes)
  bytes.set(MAGIC)
  cursor.at = MAGIC.length
  cursor.put(VERSION)
  cursor.view.setFloat64(cursor.at, total, true)
  cursor.at += 8
  const { window, sinkTokens } = sizes.rolling ?? { window: 0, sinkTokens: 0 }
  cursor.put(sizes.type, sizes.batch, sizes.kvHeads, sizes.headDim, sizes.valueDim, window, sinkTokens)
  for (const { length, evicted } of items) cursor.put(length, evicted)
  eachRun(contents, (numbers, from, to) => {
    for (let i = from; i < to; i++) cursor.putOne(numbers, i)
  })
  cursor.put(crc32(bytes.subarray(0, cursor.at)))
  return bytes
}

/** @throws RangeError that names `bytes` and says what is wrong; nothing is allocated from a number that was not checked */
export function readSnapshot(bytes: unknown, maxBytes: number | undefined): Contents {
  if (tagOf(bytes) !== 'Uint8Array') throw wrongType('bytes', 'a Uint8Array from snapshot()', bytes)
  const cursor = new Cursor(bytes as Uint8Array)
  checkEnvelope(bytes as Uint8Array, cursor)
  const sizes = readSizes(cursor)
  const { byteLength } = bytes as Uint8Array
  const room = Math.floor((byteLength - HEADER_BYTES) / ITEM_BYTES)
  checkInteger('bytes: batch', sizes.batch, 1, room)
  const items = Array.from({ length: sizes.batch }, () => readItem(cursor, sizes.rolling))
  const needed = bytesOf(sizes, items)
  if (needed !== byteLength)
    throw new RangeError(`bytes: expected ${needed} bytes for the sizes and lengths in it, got ${byteLength}`)
  const pool = new Pool(sizes, maxBytes)
  const table = new PageTable(pool, sizes.batch, sizes.rolling)
  table.restore(items)
  const contents = new Contents(sizes, pool, table)
  eachRun(contents, (numbers, from, to) => {
    for (let i = from; i < to; i++) cursor.takeOne(numbers, i)
  })
  if (sizes.type === Storage.int8) checkScales(contents)
  return contents
}

/** Magic, version, size, checksum: whether these are the bytes that were written. */
function checkEnvelope(bytes: Uint8Array, cursor: Cursor): void {
  const size = bytes.byteLength
  if (!MAGIC.every((byte, i) => bytes[i] === byte))
    throw new RangeError(
      `bytes: expected a snapshot of a KvCache, got ${size} bytes that do not begin like one`,
    )
  if (size < HEADER_BYTES + WORD)
    throw new RangeError(`bytes: expected at least ${HEADER_BYTES + WORD} bytes of a snapshot, got ${size}`)
  cursor.at = MAGIC.length
  const version = cursor.take()
  if (version !== VERSION)
    throw new RangeError(`bytes: expected version ${VERSION} of the format, got version ${version}`)
  const total = cursor.view.getFloat64(cursor.at, true)
  cursor.at += 8
  if (total !== size)
    throw new RangeError(
      `bytes: expected ${total} bytes as the snapshot says, got ${size} (cut short, or more than it)`,
    )
  const [stored, found] = [cursor.view.getUint32(size - WORD, true), crc32(bytes.subarray(0, size - WORD))]
  if (stored !== found)
    throw new RangeError(`bytes: expected checksum ${stored}, got ${found}: the snapshot is damaged`)
}

function readSizes(cursor: Cursor): Sizes {
  const size = (name: string, least: number, most = OPEN - 1) =>
    checkInteger(`bytes: ${name}`, cursor.take(), least, most)
  const type = cursor.take()
  if (!TYPES.includes(type)) throw wrongValue('bytes: type', `one of ${TYPES.join(', ')}`, type)
  const batch = size('batch', 1)
  const kvHeads = size('kvHeads', 1)
  const headDim = size('headDim', 1)
  const valueDim = size('valueDim', 1)
  const window = size('window', 0, MOST_TOKENS)
  const sinkTokens = size('sinkTokens', 0, window === 0 ? 0 : MOST_TOKENS)
  return {
    type,
    batch,
    kvHeads,
    headDim,
    valueDim,
    rolling: window === 0 ? undefined : { window, sinkTokens },
  }
}

function readItem(cursor: Cursor, rolling: Rolling | undefined): Extent {
  const length = checkInteger('bytes: length', cursor.take(), 0, MOST_TOKENS)
  // What is gone begins behind the sink tokens and ends before the window of the next token.
  const most = rolling === undefined ? 0 : Math.max(0, length - rolling.window + 1)
  const evicted = checkInteger('bytes: evicted', cursor.take(), 0, most)
  if (evicted > 0) checkInteger('bytes: evicted', evicted, rolling!.sinkTokens + 1, most)
  return { length, evicted }
}

/** Exact up to 2^53; beyond it no array is as long, so that no such size ever fits. */
function bytesOf({ type, kvHeads, headDim, valueDim, rolling }: Sizes, items: readonly Extent[]): number {
  let tokens = 0
  for (const item of items) for (const [begin, end] of present(item, rolling)) tokens += end - begin
  const tokenBytes = kvHeads * (rowBytes(type, headDim) + rowBytes(type, valueDim))
  return HEADER_BYTES + items.length * ITEM_BYTES + tokens * tokenBytes + WORD
}

/** Visits all keys and values that are there, in the order of the format: elements [from, to) of arrays of their bits. */
function eachRun(
  { sizes, table, pool }: Contents,
  visit: (numbers: Bits, from: number, to: number) => void,
): void {
  for (let item = 0; item < sizes.batch; item++) {
    const ranges = present(table.extent(item), sizes.rolling)
    for (const store of [pool.keys, pool.values]) {
      const { buffer, byteOffset, byteLength, length, BYTES_PER_ELEMENT } = store.data
      const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
      const bytes = new Uint8Array(buffer, byteOffset, byteLength)
      const halves = () => new Uint16Array(buffer, byteOffset, length)
      const numbers = BYTES_PER_ELEMENT === 4 ? words : BYTES_PER_ELEMENT === 1 ? bytes : halves()
      for (let head = 0; head < sizes.kvHeads; head++) {
        const found = ranges.flatMap(([begin, end]) => [...runs(begin, end)])
        for (const { index, row, count } of found) {
          const from = store.start(table.page(item, index), head, row)
          visit(numbers, from, from + count * store.channels)
        }
        if (sizes.type !== Storage.int8) continue
        for (const { index, row, count } of found) {
          const from = store.scaleAt(table.page(item, index), head, row)
          visit(words, from, from + count)
        }
      }
    }
  }
}

/** Scales that no append makes could spread to where nobody attends. */
function checkScales(contents: Contents): void {
  eachRun(contents, (numbers, from, to) => {
    if (numbers.BYTES_PER_ELEMENT !== SCALE_BYTES) return
    const scales = new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length)
    for (let i = from; i < to; i++) {
      if (!isScale(scales[i])) throw wrongValue('bytes', 'scales of int8 that an append makes', scales[i])
    }
  })
}
