/**
 * The record by which the kernels know a call and a chunk of it, and what belongs to the chunk's rows by their heads.
 * @module
 */
import { type Call, type Chunk, unstack } from './wasm-chunk.ts'
import { STATE, STRIP, TASK } from './wasm-kernel.ts'
import { stateOf } from './wasm-layout.ts'
import { capOf, scoreUnitOf, unitOf } from './wasm-units.ts'

/** What all chunks of a call share. */
export function writeTask({ plan, arena, layout }: Call): void {
  const { ints, floats } = arena
  const task = layout.task / 4
  ints[task + TASK.queries] = layout.queries
  ints[task + TASK.keys] = layout.keys
  ints[task + TASK.values] = layout.values
  ints[task + TASK.output] = layout.output
  ints[task + TASK.state] = layout.state
  ints[task + TASK.scores] = layout.scores
  ints[task + TASK.headDim] = plan.headDim
  ints[task + TASK.stride] = layout.valueStride
  ints[task + TASK.features] = plan.features
  floats[task + TASK.unit] = unitOf(plan)
  floats[task + TASK.exponent] = scoreUnitOf(plan) * Math.LOG2E
  floats[task + TASK.cap] = capOf(plan)
  ints[task + TASK.biasType] = plan.biasType
  ints[task + TASK.group] = plan.heads / plan.kvHeads
  ints[task + TASK.left] = plan.left
  ints[task + TASK.right] = plan.right
  ints[task + TASK.sinkEnd] = plan.sinkTokens
  ints[task + TASK.lowQueries] = layout.lowQueries
  ints[task + TASK.lowKeys] = layout.lowKeys
  ints[task + TASK.lowValues] = layout.lowValues
  ints[task + TASK.keyBlockBytes] = layout.lowKeyWords
}

export function writeChunk({ plan, arena, layout }: Call, { item, first, rows }: Chunk, low: boolean): void {
  const { ints } = arena
  const task = layout.task / 4
  ints[task + TASK.strips] = Math.ceil(rows / STRIP)
  ints[task + TASK.first] = first
  ints[task + TASK.rows] = rows
  ints[task + TASK.low] = low ? 1 : 0
  ints[task + TASK.keyBegin] = item.keyBegin
  ints[task + TASK.keyEnd] = item.keyEnd
  ints[task + TASK.firstPosition] = item.position
  // Windows of masks begin at blocks, so a word begins as far before their first key as before the item's.
  ints[task + TASK.keepShift] = plan.keepBits ? item.keyFirst & 31 : -1
  ints[task + TASK.dropShift] = plan.dropBits ? item.keyFirst & 31 : -1
}

/** The slopes of ALiBi of a chunk's rows. */
export function writeSlopes({ arrays: { alibi }, arena, layout }: Call, chunk: Chunk): void {
  if (!alibi) return
  for (let row = 0; row < Math.ceil(chunk.rows / STRIP) * STRIP; row++) {
    const [, member] = unstack(chunk, Math.min(row, chunk.rows - 1))
    arena.floats[stateOf(layout, row) + STATE.slope] = alibi[chunk.kvHead * chunk.group + member]
  }
}
