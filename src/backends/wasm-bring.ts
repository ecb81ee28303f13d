/**
 * Queries, keys and values of a chunk into the arena.
 * @module
 */
import { type Arrays, type Plan, SCALE_BYTES, Storage, type Stored } from '../attention/plan.ts'
import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { copyRows, Landing } from './wasm-copy.ts'
import { KEY_BLOCK } from './wasm-kernel.ts'
import { signOf } from './wasm-units.ts'

/** The query rows of a chunk, packed. They carry the sign of the scale, so that greater scores weigh more. */
export function bringQueries({ plan, arrays: { q }, arena, layout }: Call, chunk: Chunk): void {
  const { item, group } = chunk
  const { headDim, qHead, qRow } = plan
  const base = item.index * plan.qBatch + chunk.kvHead * group * qHead + item.queryFirst * qRow
  for (let row = 0; row < chunk.rows; row += KEY_BLOCK) {
    const rows = Math.min(KEY_BLOCK, chunk.rows - row)
    const landing = new Landing(arena, plan.qType, layout.stage, rows * headDim)
    const { numbers, first } = landing
    if (group === 1) {
      copyRows(q, base + (chunk.first + row) * qRow, qRow, numbers, first, headDim, rows, headDim)
    } else {
      for (let i = 0; i < rows; i++) {
        const [queryRow, member] = unstack(chunk, row + i)
        const from = base + member * qHead + queryRow * qRow
        numbers.set(q.subarray(from, from + headDim), first + i * headDim)
      }
    }
    landing.settle()
    const target = layout.queries + row * headDim * 4
    arena.kernel.packQueries(layout.stage, target, rows, headDim, signOf(plan))
  }
}

/** Keys [from, to) of the block that begins at key `block`, packed. */
export function bringKeys(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, arena, layout } = call
  const { headDim, kRow } = plan
  const page = pageOf(plan, arrays, chunk, block)
  const item = page === undefined ? chunk.item.index * plan.kBatch : page * plan.kPage
  const head = item + chunk.kvHead * plan.kHead
  const row = rowOf(plan, chunk, block) + from
  const at = layout.stage + from * headDim * 4
  bringRows(call, arrays.k, { head, row, stride: kRow, rows: to - from, width: headDim }, at, headDim)
  arena.kernel.packKeys(layout.stage, layout.keys, from & ~3, (to + 3) & ~3, headDim)
}

/** The values of the same keys. */
export function bringValues(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, layout } = call
  const { valueDim, vRow } = plan
  const page = pageOf(plan, arrays, chunk, block)
  const item = page === undefined ? chunk.item.index * plan.vBatch : page * plan.vPage
  const head = item + chunk.kvHead * plan.vHead
  const row = rowOf(plan, chunk, block) + from
  const at = layout.stage + from * layout.valueStride
  const rows = { head, row, stride: vRow, rows: to - from, width: valueDim }
  bringRows(call, arrays.v, rows, at, layout.valueStride / 4)
}

/** Rows of keys or values of one head: where the head begins, the first row, and how far apart rows are. */
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

/** The page of a block; undefined where the keys of an item lie in one piece. Blocks never straddle pages. */
export function pageOf(plan: Plan, { pages }: Arrays, { item }: Chunk, block: number): number | undefined {
  if (plan.pageKeys === 0) return undefined
  return pages![item.index * plan.pagesPerItem + Math.floor(block / plan.pageKeys)]
}

/** Row of a block's first key, within its page or among all keys of the tensor. */
function rowOf(plan: Plan, { item }: Chunk, block: number): number {
  return plan.pageKeys === 0 ? item.keyFirst + block : block % plan.pageKeys
}
