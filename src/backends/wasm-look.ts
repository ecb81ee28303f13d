/**
 * What `attentionWeights` shows beside the output: a second pass over the keys of a chunk, once the softmax of its rows
 * is known, and one over all keys where scores are asked for as they are before the masks.
 * @module
 */
import { type Arrays, Output, type Plan, ScoresAt } from '../attention/plan.ts'
import type { Steps } from './steps.ts'
import { bringKeys, bringQueries, pageOf } from './wasm-bring.ts'
import { type Call, type Chunk, chunksOf, type Item, unstack } from './wasm-chunk.ts'
import { KEY_BLOCK, STRIP, Step } from './wasm-kernel.ts'
import { type Block, blocksOf, type Span } from './wasm-reach.ts'
import { MaskWindow } from './wasm-window.ts'

export interface Look {
  /** Slots that each selected row of an item fills (a row may be selected twice); undefined where all rows are shown. */
  readonly slots: ReadonlyMap<number, readonly number[]> | undefined
  /** Steps that follow the masks, and the step before them, where asked for. */
  readonly visible: readonly number[]
  readonly everyKey: number | undefined
}

/** Prepares what a plan wants to see, if anything: whatever no row attends to has its number from the start. */
export function lookOf(plan: Plan, arrays: Arrays): Look | undefined {
  const { outputs, scoresAt } = plan
  if ((outputs & (Output.weights | Output.scores | Output.mass)) === 0) return undefined
  arrays.weights?.fill(0)
  arrays.mass?.fill(0)
  arrays.scores?.fill(Number.NEGATIVE_INFINITY)
  const masked = scoresAt === ScoresAt.masked
  const visible: number[] = []
  if (outputs & Output.scores && masked) visible.push(Step.masked)
  if (outputs & (Output.weights | Output.mass)) visible.push(Step.weights)
  return {
    slots: slotsOf(arrays.rows),
    visible,
    everyKey: outputs & Output.scores && !masked ? scoresAt : undefined,
  }
}

function slotsOf(rows: Int32Array | undefined): Map<number, number[]> | undefined {
  if (rows === undefined) return undefined
  const slots = new Map<number, number[]>()
  for (const [slot, row] of rows.entries()) {
    const of = slots.get(row)
    if (of) of.push(slot)
    else slots.set(row, [slot])
  }
  return slots
}

/** Shows weights and masked scores of a chunk that has been attended to. */
export function* showVisible(call: Call, look: Look, chunk: Chunk, spans: readonly Span[]): Steps {
  if (look.visible.length === 0) return
  const masks = new MaskWindow(call, chunk, spans)
  yield* show(call, look, chunk, blocksOf(spans), look.visible, block => masks.reach(block))
}

/** Shows scores before the masks, of all rows and keys of an item; what does not lie in memory is left out. */
export function* showEveryKey(call: Call, look: Look, item: Item): Steps {
  const { everyKey } = look
  if (everyKey === undefined) return
  const { plan, arrays, layout } = call
  for (const chunk of chunksOf(plan, { ...item, queryRows: item.queryTotal }, layout)) {
    const blocks = [...blocksOf([[0, item.keyTotal]])].filter(
      ([block]) => (pageOf(plan, arrays, chunk, block) ?? 0) >= 0,
    )
    if (selectedRows(look, chunk).length === 0) continue
    bringQueries(call, chunk, [{ call, chunk }])
    yield* show(call, look, chunk, blocks, [everyKey], () => 0)
  }
}

/** Steps of the pipeline for the selected rows of a chunk, block by block. */
function* show(
  call: Call,
  look: Look,
  chunk: Chunk,
  blocks: Iterable<Block>,
  steps: readonly number[],
  offsetOf: (block: number) => number,
): Steps {
  const { arena, layout } = call
  const rows = selectedRows(look, chunk)
  if (rows.length === 0) return
  const first = Math.floor(rows[0].row / STRIP)
  const strips = Math.floor(rows[rows.length - 1].row / STRIP) + 1 - first
  for (const [block, from, to] of blocks) {
    bringKeys(call, chunk, block, from, to)
    const offset = offsetOf(block)
    for (const step of steps) {
      arena.kernel.lookAtBlock(layout.task, block, offset, first, strips, step)
      for (const selected of rows) writeRow(call, chunk, selected, [block, from, to], step)
    }
    yield
  }
}

/** A row of a chunk, and the slots that it fills. */
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

/** Copies what a step shows of one row and one block to where the caller wants it. */
function writeRow(
  { plan, arrays, arena, layout }: Call,
  { item, kvHead, group }: Chunk,
  { row, member, slots }: Selected,
  [block, from, to]: Block,
  step: number,
): void {
  const head = kvHead * group + member
  const source = layout.output / 4 + row * KEY_BLOCK
  const numbers = arena.floats.subarray(source + from, source + to)
  const key = item.keyFirst + block + from
  const target = step === Step.weights ? arrays.weights : arrays.scores
  const base = item.index * plan.weightsBatch + head * plan.weightsHead + key
  for (const slot of slots) {
    target?.set(numbers, base + slot * plan.weightsRow)
    if (step === Step.weights && arrays.mass)
      addTo(arrays.mass, item.index * plan.massBatch + head * plan.massHead + key, numbers)
  }
}

function addTo(sums: Float32Array, at: number, terms: Float32Array): void {
  for (let i = 0; i < terms.length; i++) sums[at + i] += terms[i]
}
