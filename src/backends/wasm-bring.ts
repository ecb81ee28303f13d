/**
 * Queries, keys and values of a chunk into the arena.
 * @module
 */
import { type Arrays, type Plan, SCALE_BYTES, Storage, type Stored } from '../attention/plan.ts'
import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { copyRows, Landing } from './wasm-copy.ts'
import type { Head } from './wasm-heads.ts'
import { KEY_BLOCK } from './wasm-kernel.ts'
import { signOf } from './wasm-units.ts'

/** The query rows of a chunk's heads, packed. They carry the sign of the scale, so that greater scores weigh more. */
export function bringQueries(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { plan, arena, layout } = call
  const rowBytes = plan.headDim * 4
  for (let row = 0; row < chunk.rows; row += KEY_BLOCK) {
    const rows = Math.min(KEY_BLOCK, chunk.rows - row)
    stageQueries(call, chunk, row, rows)
    for (const [h, { call: own }] of heads.entries()) {
      arena.kernel.packQueries(
        layout.stage + h * rowBytes,
        heads.length * rowBytes,
        own.layout.queries + row * rowBytes,
        rows,
        plan.headDim,
        signOf(plan),
      )
    }
  }
}

export function stageQueries(
  { plan, arrays: { q }, arena, layout }: Call,
  chunk: Chunk,
  row: number,
  rows: number,
): void {
  const { item, group, heads } = chunk
  const { headDim, qHead, qRow } = plan
  const base = item.index * plan.qBatch + chunk.kvHead * group * qHead + item.queryFirst * qRow
  const width = heads * headDim
  const landing = new Landing(arena, plan.qType, layout.stage, rows * width)
  const { numbers, first } = landing
  if (group === 1) {
    copyRows(q, base + (chunk.first + row) * qRow, qRow, numbers, first, width, rows, width)
  } else {
    for (let i = 0; i < rows; i++) {
      const [queryRow, member] = unstack(chunk, row + i)
      const from = base + member * qHead + queryRow * qRow
      numbers.set(q.subarray(from, from + headDim), first + i * headDim)
    }
  }
  landing.settle()
}

/** Keys and values [from, to) of the block that begins at key `block`, for all heads of a chunk. */
export function stageBlock(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, layout } = call
  const { vBatch, vPage, vHead, vRow } = plan
  stageKeys(call, chunk, block, from, to)
  const head = headOf(call, chunk, block, vBatch, vPage, vHead)
  const row = rowOf(plan, chunk, block) + from
  const width = chunk.heads * plan.valueDim
  // Values of a single head land where they will stay.
  const alone = chunk.heads === 1
  const stride = alone ? layout.valueStride / 4 : width
  const at = (alone ? layout.values : layout.valueStage) + from * stride * 4
  bringRows(call, arrays.v, { head, row, stride: vRow, rows: to - from, width }, at, stride)
}

function stageKeys(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, layout } = call
  const { kBatch, kPage, kHead, kRow } = plan
  const head = headOf(call, chunk, block, kBatch, kPage, kHead)
  const row = rowOf(plan, chunk, block) + from
  const width = chunk.heads * plan.headDim
  const at = layout.stage + from * width * 4
  bringRows(call, arrays.k, { head, row, stride: kRow, rows: to - from, width }, at, width)
}

/** Rows of keys or values: where their first head begins, the first row, and how far apart rows are. */
interface Rows {
  readonly head: number
  readonly row: number
  readonly stride: number
  readonly rows: number
  readonly width: number
}

/** Brings rows to the address `at`, `stride` numbers apart, as float32. */
function bringRows(
  { plan, arena, layout }: Call,
  data: Stored,
  from: Rows,
  at: number,
  stride: number,
): void {
  const { head, row, rows, width } = from
  const source = head + row * from.stride
  if (plan.kvType !== Storage.int8) {
    const landing = new Landing(arena, plan.kvType, at, rows * stride)
    copyRows(data, source, from.stride, landing.numbers, landing.first, stride, rows, width)
    landing.settle()
    return
  }
  // Codes lie behind the room for their numbers but for as much, so that four numbers written never reach the next four.
  const codes = at + 3 * rows * stride + 16
  copyRows(data, source, from.stride, arena.codes, codes, stride, rows, width)
  // The scores of a block are not there yet when its keys and values come.
  const scales = head + plan.pageKeys * from.stride + row * SCALE_BYTES
  copyRows(data, scales, 0, arena.codes, layout.scores, 0, 1, rows * SCALE_BYTES)
  arena.kernel.widenInt8(codes, at, rows, stride, layout.scores)
}

/** Makes what was staged ready for the kernel, for head `h` of the chunk. */
export function takeBlock(call: Call, chunk: Chunk, h: number, from: number, to: number): void {
  takeKeys(call, chunk, h, from, to)
  if (chunk.heads === 1) return
  const { plan, arena, layout } = call
  const rowBytes = plan.valueDim * 4
  const step = chunk.heads * rowBytes
  const source = layout.valueStage + from * step + h * rowBytes
  const { values, valueStride } = layout
  arena.kernel.moveRows(source, step, values + from * valueStride, valueStride, to - from, rowBytes)
}

function takeKeys(
  { plan, arena, layout }: Call,
  { heads }: Chunk,
  h: number,
  from: number,
  to: number,
): void {
  const rowBytes = plan.headDim * 4
  const source = layout.stage + h * rowBytes
  arena.kernel.packKeys(source, heads * rowBytes, layout.keys, from & ~3, (to + 3) & ~3, plan.headDim)
}

/** The keys alone, of a chunk with one head. */
export function bringKeys(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  stageKeys(call, chunk, block, from, to)
  takeKeys(call, chunk, 0, from, to)
}

/** The page of a block; undefined where the keys of an item lie in one piece. Blocks never straddle pages. */
export function pageOf(plan: Plan, { pages }: Arrays, { item }: Chunk, block: number): number | undefined {
  if (plan.pageKeys === 0) return undefined
  return pages![item.index * plan.pagesPerItem + Math.floor(block / plan.pageKeys)]
}

/** Row of a block's first key, within its page or among all keys of the tensor. */
export function rowOf(plan: Plan, { item }: Chunk, block: number): number {
  return plan.pageKeys === 0 ? item.keyFirst + block : block % plan.pageKeys
}

/** Where the rows of the chunk's first head begin in a tensor with these strides; in pages, from page to page. */
export function headOf(
  { plan, arrays }: Call,
  chunk: Chunk,
  block: number,
  batch: number,
  page: number,
  head: number,
): number {
  const own = pageOf(plan, arrays, chunk, block)
  return (own === undefined ? chunk.item.index * batch : own * page) + chunk.kvHead * head
}
