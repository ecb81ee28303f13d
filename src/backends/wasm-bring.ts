/**
 * Queries, keys and values of a chunk into the arena.
 * @module
 */
import type { Arrays, Plan } from '../attention/plan.ts'
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
  const source = item + chunk.kvHead * plan.kHead + (rowOf(plan, chunk, block) + from) * kRow
  const rows = to - from
  const landing = new Landing(arena, plan.kvType, layout.stage + from * headDim * 4, rows * headDim)
  copyRows(arrays.k, source, kRow, landing.numbers, landing.first, headDim, rows, headDim)
  landing.settle()
  arena.kernel.packKeys(layout.stage, layout.keys, from & ~3, (to + 3) & ~3, headDim)
}

/** The values of the same keys. */
export function bringValues(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, arena, layout } = call
  const { valueDim, vRow } = plan
  const page = pageOf(plan, arrays, chunk, block)
  const item = page === undefined ? chunk.item.index * plan.vBatch : page * plan.vPage
  const source = item + chunk.kvHead * plan.vHead + (rowOf(plan, chunk, block) + from) * vRow
  const stride = layout.valueStride / 4
  const rows = to - from
  const landing = new Landing(arena, plan.kvType, layout.stage + from * layout.valueStride, rows * stride)
  copyRows(arrays.v, source, vRow, landing.numbers, landing.first, stride, rows, valueDim)
  landing.settle()
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
