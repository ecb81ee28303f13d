/**
 * Results of a chunk out of the arena: output and lse.
 * @module
 */
import { Output, type Plan, Storage } from '../attention/plan.ts'
import { type Call, type Chunk, type Item, unstack } from './wasm-chunk.ts'
import { copyRows } from './wasm-copy.ts'
import type { Head } from './wasm-heads.ts'
import { KEY_BLOCK, STATE } from './wasm-kernel.ts'
import { sinkOf, stateOf } from './wasm-layout.ts'
import { scoreUnitOf } from './wasm-units.ts'

export function writeOutput(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { plan, arrays, layout } = call
  if (plan.outType !== Storage.float32) narrowOutput(plan, chunk, heads)
  if (heads.length > 1) {
    writeSideBySide(call, chunk, heads)
    return
  }
  const out = arrays.out!
  const { item, group } = chunk
  const { valueDim, oHead, oRow } = plan
  const base = item.index * plan.oBatch + chunk.kvHead * group * oHead + item.queryFirst * oRow
  const stride = layout.valueStride / 4
  const numbers = numbersOf(call)
  const source = layout.output / numbers.BYTES_PER_ELEMENT
  if (group === 1) {
    copyRows(numbers, source, stride, out, base + chunk.first * oRow, oRow, chunk.rows, valueDim)
    return
  }
  for (let row = 0; row < chunk.rows; row++) {
    const [queryRow, member] = unstack(chunk, row)
    const from = source + row * stride
    out.set(numbers.subarray(from, from + valueDim), base + member * oHead + queryRow * oRow)
  }
}

/** Output of several heads, a piece of rows at a time through the room where keys were staged. */
function writeSideBySide(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { plan, arrays, arena, layout } = call
  const { valueDim, oHead, oRow } = plan
  const numbers = numbersOf(call)
  const unit = numbers.BYTES_PER_ELEMENT
  const sourceStep = (layout.valueStride / 4) * unit
  const width = heads.length * valueDim
  const base =
    chunk.item.index * plan.oBatch + chunk.kvHead * oHead + (chunk.item.queryFirst + chunk.first) * oRow
  for (let row = 0; row < chunk.rows; row += KEY_BLOCK) {
    const rows = Math.min(KEY_BLOCK, chunk.rows - row)
    for (const [h, { call: own }] of heads.entries()) {
      const source = own.layout.output + row * sourceStep
      const target = layout.valueStage + h * valueDim * unit
      arena.kernel.moveRows(source, sourceStep, target, width * unit, rows, valueDim * unit)
    }
    copyRows(numbers, layout.valueStage / unit, width, arrays.out!, base + row * oRow, oRow, rows, width)
  }
}

function narrowOutput(plan: Plan, chunk: Chunk, heads: readonly Head[]): void {
  for (const { call } of heads) {
    const { output, valueStride } = call.layout
    call.arena.kernel.narrow(output, output, (chunk.rows * valueStride) / 4, plan.outType)
  }
}

function numbersOf({ plan, arena }: Call): Float32Array | Uint16Array {
  return plan.outType === Storage.float32 ? arena.floats : arena.halves
}

export function writeLse({ plan, arrays, arena, layout }: Call, chunk: Chunk): void {
  const { item, group } = chunk
  const { lseHead, lseRow } = plan
  const base = item.index * plan.lseBatch + chunk.kvHead * group * lseHead + item.queryFirst * lseRow
  const unit = scoreUnitOf(plan)
  for (let row = 0; row < chunk.rows; row++) {
    const [queryRow, member] = unstack(chunk, row)
    const state = stateOf(layout, row)
    const max = arena.floats[state + STATE.max]
    const sum = arena.floats[state + STATE.sum]
    arrays.lse![base + member * lseHead + queryRow * lseRow] = max * unit + Math.log(sum)
  }
}

/** Tells the rows what their sinks add to their sums: once, after all keys. */
export function writeSinks({ plan, arrays, arena, layout }: Call, chunk: Chunk): void {
  const unit = scoreUnitOf(plan)
  for (let row = 0; row < chunk.rows; row++) {
    const [, member] = unstack(chunk, row)
    const state = stateOf(layout, row)
    const max = arena.floats[state + STATE.max] * unit
    // Without keys there is nothing to divide.
    if (max === Number.NEGATIVE_INFINITY) continue
    const sink = arrays.sinks![chunk.kvHead * chunk.group + member]
    arena.doubles[sinkOf(layout, row)] = Math.exp(sink - max)
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
