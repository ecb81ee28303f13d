/**
 * Queries, keys and values of a chunk into the arena.
 * @module
 */
import type { Arrays, Plan } from '../attention/plan.ts'
import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { copyRows, Landing, type Numbers } from './wasm-copy.ts'
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

function stageQueries({ plan, arrays: { q }, arena, layout }: Call, chunk: Chunk, row: number, rows: number) {
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
  const source = placeOf(call, chunk, block, vBatch, vPage, vHead, vRow) + from * vRow
  const width = chunk.heads * plan.valueDim
  stageKeys(call, chunk, block, from, to)
  // Values of a single head land where they will stay.
  const alone = chunk.heads === 1
  const stride = alone ? layout.valueStride / 4 : width
  const at = (alone ? layout.values : layout.valueStage) + from * stride * 4
  stageRows(call, arrays.v, source, vRow, at, stride, to - from, width)
}

function stageKeys(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, layout } = call
  const { kBatch, kPage, kHead, kRow } = plan
  const source = placeOf(call, chunk, block, kBatch, kPage, kHead, kRow) + from * kRow
  const width = chunk.heads * plan.headDim
  stageRows(call, arrays.k, source, kRow, layout.stage + from * width * 4, width, to - from, width)
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

/** Where the first row of a block lies in a tensor with these strides; in pages, from page to page. */
function placeOf(
  { plan, arrays }: Call,
  chunk: Chunk,
  block: number,
  batch: number,
  page: number,
  head: number,
  row: number,
): number {
  const { item, kvHead } = chunk
  const own = pageOf(plan, arrays, chunk, block)
  if (own === undefined) return item.index * batch + kvHead * head + (item.keyFirst + block) * row
  return own * page + kvHead * head + (block % plan.pageKeys) * row
}

/** Rows of numbers of a tensor to float32 in the arena; the stride there counts numbers. */
function stageRows(
  { plan, arena }: Call,
  source: Numbers,
  from: number,
  step: number,
  at: number,
  stride: number,
  rows: number,
  width: number,
): void {
  const landing = new Landing(arena, plan.kvType, at, rows * stride)
  copyRows(source, from, step, landing.numbers, landing.first, stride, rows, width)
  landing.settle()
}
