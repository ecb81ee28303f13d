/**
 * Masks and bias of a chunk in the arena, a window of keys at a time.
 * @module
 */

import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { copyRows } from './wasm-copy.ts'
import { STATE, STRIP } from './wasm-kernel.ts'
import { type MaskArea, stateOf } from './wasm-layout.ts'
import { membersOf } from './wasm-masks.ts'
import type { Span } from './wasm-reach.ts'

/** Tells each row of a chunk where its masks will lie. */
export function addressMasks({ arena, layout }: Call, chunk: Chunk): void {
  for (const { mask, at, pitch } of layout.masks) {
    const field = STATE[`${mask.name}At`]
    const members = membersOf(mask, chunk.group)
    const [firstRow] = unstack(chunk, 0)
    for (let row = 0; row < Math.ceil(chunk.rows / STRIP) * STRIP; row++) {
      const [queryRow, member] = unstack(chunk, Math.min(row, chunk.rows - 1))
      const slot = (mask.row === 0 ? 0 : queryRow - firstRow) * members + (members === 1 ? 0 : member)
      arena.ints[stateOf(layout, row) + field] = at + slot * pitch
    }
  }
}

export class MaskWindow {
  readonly #call: Call
  readonly #chunk: Chunk
  /** End of the keys that are needed at all. */
  readonly #end: number
  #first = 0
  #next = 0

  constructor(call: Call, chunk: Chunk, spans: readonly Span[]) {
    this.#call = call
    this.#chunk = chunk
    this.#end = spans.length === 0 ? 0 : spans[spans.length - 1][1]
  }

  /** Brings what the block needs, unless it is there; returns the block's place in the window. Blocks come in order. */
  reach(block: number): number {
    const { masks, window } = this.#call.layout
    if (block >= this.#next) {
      this.#first = block
      this.#next = block + window
      for (const area of masks)
        bringMask(this.#call, this.#chunk, area, block, Math.min(this.#next, this.#end))
    }
    return block - this.#first
  }
}

/** Keys [begin, end) of the rows of a mask that a chunk needs. */
function bringMask({ arrays, arena }: Call, chunk: Chunk, area: MaskArea, begin: number, end: number): void {
  const { mask, at, pitch } = area
  const { item, group } = chunk
  const data = arrays[mask.name]!
  const [firstRow] = unstack(chunk, 0)
  const [lastRow] = unstack(chunk, chunk.rows - 1)
  const rows = mask.row === 0 ? 1 : lastRow + 1 - firstRow
  const members = membersOf(mask, group)
  const base =
    item.index * mask.batch + chunk.kvHead * group * mask.head + (item.queryFirst + firstRow) * mask.row
  const target = { 1: arena.words, 8: arena.bytes, 16: arena.halves, 32: arena.floats }[mask.keyBits]
  const unit = target.BYTES_PER_ELEMENT
  const first = item.keyFirst + begin
  const last = item.keyFirst + end - 1
  const [from, to] = mask.keyBits === 1 ? [first >>> 5, last >>> 5] : [first, last]
  for (let member = 0; member < members; member++) {
    const source = base + member * mask.head + from
    const place = (at + member * pitch) / unit
    copyRows(data, source, mask.row, target, place, (members * pitch) / unit, rows, to + 1 - from)
  }
}
