/**
 * Weights, and their sums per key: a second pass over the keys of a chunk, once the softmax of its rows is known.
 * @module
 */
import { type Arrays, Output, type Plan } from '../attention/plan.ts'
import type { Steps } from './steps.ts'
import { KEY_BLOCK, STATE, STRIP, stateOf } from './wasm-arena.ts'
import { type Chunk, unstack } from './wasm-chunk.ts'
import { bringKeys, type Call, exponentScale } from './wasm-copy.ts'

/** Which rows are looked at: the slots that each selected row of an item fills, or undefined for all. */
export interface Look {
  readonly slots: ReadonlyMap<number, readonly number[]> | undefined
}

/** Prepares what a plan wants to see, if anything. */
export function lookOf(plan: Plan, arrays: Arrays): Look | undefined {
  if ((plan.outputs & (Output.weights | Output.mass)) === 0) return undefined
  arrays.weights?.fill(0)
  arrays.mass?.fill(0)
  if (!arrays.rows) return { slots: undefined }
  const slots = new Map<number, number[]>()
  arrays.rows.forEach((row, slot) => {
    const of = slots.get(row)
    if (of) of.push(slot)
    else slots.set(row, [slot])
  })
  return { slots }
}

type Blocks = Iterable<[block: number, from: number, to: number]>

/** Writes the weights of a chunk's selected rows, block by block. */
export function* writeWeights(call: Call, look: Look, chunk: Chunk, blocks: Blocks): Steps {
  const { plan, arena, layout } = call
  const rows = selectedRows(look, chunk)
  if (rows.length === 0) return
  const firstStrip = Math.floor(rows[0].row / STRIP)
  const strips = Math.floor(rows[rows.length - 1].row / STRIP) + 1 - firstStrip
  const firstRow = firstStrip * STRIP
  for (const [block, from, to] of blocks) {
    bringKeys(call, chunk, block, from, to)
    arena.kernel.weighStrips(
      layout.queries + firstRow * plan.headDim * 4,
      layout.keys,
      layout.output,
      stateOf(layout, firstRow) * 4,
      layout.scores,
      strips,
      plan.headDim,
      KEY_BLOCK * 4,
      block,
      to,
      exponentScale(plan),
    )
    for (const selected of rows) writeRow(call, chunk, selected, block, firstRow)
    yield
  }
}

/** A row of a chunk, and the slots that take its weights. */
interface Selected {
  readonly row: number
  readonly member: number
  readonly slots: readonly number[]
}

function selectedRows({ slots }: Look, chunk: Chunk): Selected[] {
  const rows: Selected[] = []
  for (let row = 0; row < chunk.rows; row++) {
    const [queryRow, member] = unstack(chunk, row)
    const own = slots ? slots.get(queryRow) : [chunk.item.queryFirst + queryRow]
    if (own) rows.push({ row, member, slots: own })
  }
  return rows
}

/** Copies the weights of one row against one block: those within its own range, the others are 0 already. */
function writeRow(call: Call, chunk: Chunk, selected: Selected, block: number, firstRow: number): void {
  const { plan, arrays, arena, layout } = call
  const { item } = chunk
  const state = stateOf(layout, selected.row)
  const from = Math.max(arena.ints[state + STATE.begin] - block, 0)
  const to = Math.min(arena.ints[state + STATE.end] - block, KEY_BLOCK)
  if (to <= from) return
  const head = chunk.kvHead * chunk.group + selected.member
  const source = layout.output / 4 + (selected.row - firstRow) * KEY_BLOCK
  const weights = arena.floats.subarray(source + from, source + to)
  const key = item.keyFirst + block + from
  const base = item.index * plan.weightsBatch + head * plan.weightsHead + key
  for (const slot of selected.slots) {
    arrays.weights?.set(weights, base + slot * plan.weightsRow)
    if (arrays.mass) addTo(arrays.mass, item.index * plan.massBatch + head * plan.massHead + key, weights)
  }
}

function addTo(sums: Float32Array, at: number, terms: Float32Array): void {
  for (let i = 0; i < terms.length; i++) sums[at + i] += terms[i]
}
