/**
 * Attention of a few query rows, as in decoding: their kernel reads keys and values as they are stored, so they come into the
 * arena as they are, or not at all where they lie in its memory.
 * @module
 */
import { type Plan, SCALE_BYTES, Storage, type Stored } from '../attention/plan.ts'
import type { Arena } from './wasm-arena.ts'
import { headOf, rowOf, stageQueries } from './wasm-bring.ts'
import type { Call, Chunk, Item } from './wasm-chunk.ts'
import { copyRows, type Numbers } from './wasm-copy.ts'
import type { Head } from './wasm-heads.ts'
import { KEY_BLOCK, STRIP } from './wasm-kernel.ts'
import { signOf } from './wasm-units.ts'

/** Whether the rows of an item are one strip, and channels whole vectors; packing keys pays from the second strip on. */
export function isFew(plan: Plan, { queryRows }: Pick<Item, 'queryRows'>): boolean {
  const stacked = queryRows * (plan.heads / plan.kvHeads)
  return stacked <= STRIP && ((plan.headDim | plan.valueDim) & 7) === 0
}

/** The query rows of a chunk's heads, one behind the other. */
export function bringRows(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { plan, arena, layout } = call
  const rowBytes = plan.headDim * 4
  stageQueries(call, chunk, 0, chunk.rows)
  for (const [h, { call: own }] of heads.entries()) {
    const source = layout.stage + h * rowBytes
    arena.kernel.packRows(
      own.layout.task,
      source,
      heads.length * rowBytes,
      chunk.rows,
      signOf(plan),
      plan.kvType,
    )
  }
}

/**
 * Keys [from, to) of the block that begins at key `block`, for all heads of a chunk; where they lie in memory, and no masks
 * are to be brought, all of their page at once.
 * @returns the end of the keys that were attended to
 */
export function attendRows(
  call: Call,
  chunk: Chunk,
  heads: readonly Head[],
  block: number,
  offset: number,
  from: number,
  to: number,
): number {
  const { plan, arrays, arena, layout } = call
  const end =
    isInPlace(call) && layout.window === 0
      ? block + plan.pageKeys - (block % plan.pageKeys)
      : block + KEY_BLOCK
  const { headDim, valueDim, kvType } = plan
  const row = rowOf(plan, chunk, block)
  const parts = heads.length
  const landed = parts === 1 && kvType === Storage.float32
  const rows = { row, from, to }
  const k = stored(
    call,
    arrays.k,
    headOf(call, chunk, block, plan.kBatch, plan.kPage, plan.kHead),
    plan.kRow,
    parts * headDim,
    layout.stage,
    rows,
  )
  const v = stored(
    call,
    arrays.v,
    headOf(call, chunk, block, plan.vBatch, plan.vPage, plan.vHead),
    plan.vRow,
    parts * valueDim,
    landed ? layout.values : layout.valueStage,
    rows,
  )
  for (let h = 0; h < parts; h++) {
    arena.kernel.attendRows(
      heads[h].call.layout.task,
      block,
      end,
      offset,
      kvType,
      k.at + h * headDim * k.unit,
      k.step,
      v.at + h * valueDim * v.unit,
      v.step,
      k.scales,
      v.scales,
    )
  }
  return end
}

function isInPlace({ arrays, arena }: Call): boolean {
  return arrays.k.buffer === arena.bytes.buffer
}

/** Where a block lies for the kernel: its row 0, bytes from row to row and of a number, and the scales of int8. */
interface Place {
  readonly at: number
  readonly step: number
  readonly unit: number
  readonly scales: number
}

function stored(
  { plan, arena }: Call,
  data: Stored,
  head: number,
  stride: number,
  width: number,
  at: number,
  { row, from, to }: { row: number; from: number; to: number },
): Place {
  const unit = data.BYTES_PER_ELEMENT
  const first = head + row * stride
  const firstScale = head + plan.pageKeys * stride + row * SCALE_BYTES
  if (data.buffer === arena.bytes.buffer) {
    const base = data.byteOffset
    return { at: base + first * unit, step: stride * unit, unit, scales: base + firstScale }
  }
  const numbers = viewOf(arena, data)
  copyRows(data, first + from * stride, stride, numbers, at / unit + from * width, width, to - from, width)
  // Codes take a quarter of the room, so their scales have room behind them.
  const scales = at + KEY_BLOCK * width * 2
  if (plan.kvType === Storage.int8) copyRows(data, firstScale, 0, numbers, scales, 0, 1, to * SCALE_BYTES)
  return { at, step: width * unit, unit, scales }
}

function viewOf(arena: Arena, data: Stored): Numbers {
  if (data instanceof Float32Array) return arena.floats
  return data instanceof Int8Array ? arena.codes : arena.halves
}
