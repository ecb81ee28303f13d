/**
 * Rows of tensors into the arena and results out of it. Rows that lie side by side move in one piece.
 * @module
 */
import { type Arrays, Output, type Plan } from '../attention/plan.ts'
import { type Arena, KEY_BLOCK, type Layout, STATE, stateOf } from './wasm-arena.ts'
import { type Chunk, type Item, unstack } from './wasm-chunk.ts'

/** A call under way. */
export interface Call {
  readonly plan: Plan
  readonly arrays: Arrays
  readonly arena: Arena
  readonly layout: Layout
}

/** Copies `rows` rows of `width` numbers; places and row strides count numbers. */
function copyRows(
  source: Float32Array,
  from: number,
  sourceStride: number,
  target: Float32Array,
  to: number,
  targetStride: number,
  rows: number,
  width: number,
): void {
  if (sourceStride === width && targetStride === width) {
    target.set(source.subarray(from, from + rows * width), to)
    return
  }
  for (let row = 0; row < rows; row++, from += sourceStride, to += targetStride) {
    target.set(source.subarray(from, from + width), to)
  }
}

/** The query rows of a chunk, packed. They carry the sign of the scale, so that greater scores weigh more. */
export function bringQueries({ plan, arrays, arena, layout }: Call, chunk: Chunk): void {
  const q = arrays.q as Float32Array
  const { item, group } = chunk
  const { headDim, qHead, qRow } = plan
  const base = item.index * plan.qBatch + chunk.kvHead * group * qHead + item.queryFirst * qRow
  const stage = layout.stage / 4
  for (let row = 0; row < chunk.rows; row += KEY_BLOCK) {
    const rows = Math.min(KEY_BLOCK, chunk.rows - row)
    if (group === 1) {
      copyRows(q, base + (chunk.first + row) * qRow, qRow, arena.floats, stage, headDim, rows, headDim)
    } else {
      for (let i = 0; i < rows; i++) {
        const [queryRow, member] = unstack(chunk, row + i)
        const from = base + member * qHead + queryRow * qRow
        arena.floats.set(q.subarray(from, from + headDim), stage + i * headDim)
      }
    }
    const target = layout.queries + row * headDim * 4
    arena.kernel.packQueries(layout.stage, target, rows, headDim, Math.sign(plan.scale))
  }
}

/** Keys [from, to) of the block that begins at key `block`, packed. */
export function bringKeys(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, arena, layout } = call
  const { headDim, kRow } = plan
  const { item } = chunk
  const source = item.index * plan.kBatch + chunk.kvHead * plan.kHead + (item.keyFirst + block + from) * kRow
  const target = layout.stage / 4 + from * headDim
  copyRows(arrays.k as Float32Array, source, kRow, arena.floats, target, headDim, to - from, headDim)
  arena.kernel.packKeys(layout.stage, layout.keys, from & ~3, (to + 3) & ~3, headDim)
}

/** The values of the same keys. */
export function bringValues(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arrays, arena, layout } = call
  const { vRow } = plan
  const { item } = chunk
  const stride = layout.valueStride / 4
  const source = item.index * plan.vBatch + chunk.kvHead * plan.vHead + (item.keyFirst + block + from) * vRow
  const target = layout.stage / 4 + from * stride
  copyRows(arrays.v as Float32Array, source, vRow, arena.floats, target, stride, to - from, plan.valueDim)
}

/** What makes a score an exponent of 2. With scale 0 all scores are 0 already. */
export function exponentScale(plan: Plan): number {
  return Math.abs(plan.scale || 1) * Math.LOG2E
}

export function writeOutput({ plan, arrays, arena, layout }: Call, chunk: Chunk): void {
  const out = arrays.out as Float32Array
  const { item, group } = chunk
  const { valueDim, oHead, oRow } = plan
  const base = item.index * plan.oBatch + chunk.kvHead * group * oHead + item.queryFirst * oRow
  const source = layout.output / 4
  const stride = layout.valueStride / 4
  if (group === 1) {
    copyRows(arena.floats, source, stride, out, base + chunk.first * oRow, oRow, chunk.rows, valueDim)
    return
  }
  for (let row = 0; row < chunk.rows; row++) {
    const [queryRow, member] = unstack(chunk, row)
    const from = source + row * stride
    out.set(arena.floats.subarray(from, from + valueDim), base + member * oHead + queryRow * oRow)
  }
}

export function writeLse({ plan, arrays, arena, layout }: Call, chunk: Chunk): void {
  const { item, group } = chunk
  const { lseHead, lseRow } = plan
  const base = item.index * plan.lseBatch + chunk.kvHead * group * lseHead + item.queryFirst * lseRow
  for (let row = 0; row < chunk.rows; row++) {
    const [queryRow, member] = unstack(chunk, row)
    const state = stateOf(layout, row)
    const max = arena.floats[state + STATE.max]
    const sum = arena.floats[state + STATE.sum]
    arrays.lse![base + member * lseHead + queryRow * lseRow] = max * Math.abs(plan.scale) + Math.log(sum)
  }
}

/** Rows of the tensor beyond the item's own: output 0, lse -inf. */
export function clearPadding({ plan, arrays }: Call, item: Item): void {
  const end = item.queryFirst + item.queryTotal
  for (let h = 0; h < plan.heads; h++) {
    for (let row = item.queryFirst + item.queryRows; row < end; row++) {
      if (plan.outputs & Output.output) {
        const at = item.index * plan.oBatch + h * plan.oHead + row * plan.oRow
        arrays.out!.fill(0, at, at + plan.valueDim)
      }
      if (plan.outputs & Output.lse) {
        arrays.lse![item.index * plan.lseBatch + h * plan.lseHead + row * plan.lseRow] = -Infinity
      }
    }
  }
}
