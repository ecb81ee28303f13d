/**
 * The way of a plan through an arena: for each chunk of query rows, all blocks of keys that it attends to.
 * @module
 */
import { type Arrays, Output, type Plan, rowRange } from '../attention/plan.ts'
import type { Steps } from './steps.ts'
import { type Arenas, KEY_BLOCK, layoutOf, STATE, STRIP, stateOf } from './wasm-arena.ts'
import { type Chunk, chunksOf, itemOf } from './wasm-chunk.ts'
import {
  bringKeys,
  bringQueries,
  bringValues,
  type Call,
  clearPadding,
  exponentScale,
  writeLse,
  writeOutput,
} from './wasm-copy.ts'
import { lookOf, writeWeights } from './wasm-weights.ts'

/** Runs a plan; a step is one chunk against one block. */
export function* attend(plan: Plan, arrays: Arrays, arenas: Arenas): Steps {
  const layout = layoutOf(plan)
  const arena = arenas.take(layout.bytes)
  const call = { plan, arrays, arena, layout }
  try {
    const look = lookOf(plan, arrays)
    for (let b = 0; b < plan.batch; b++) {
      const item = itemOf(plan, b)
      clearPadding(call, item)
      for (const chunk of chunksOf(plan, item, layout.rows)) {
        const [begin, end] = openChunk(call, chunk)
        for (const [block, from, to] of blocksOf(begin, end)) {
          attendBlock(call, chunk, block, from, to)
          yield
        }
        closeChunk(call, chunk)
        yield
        if (look) yield* writeWeights(call, look, chunk, blocksOf(begin, end))
      }
    }
  } finally {
    arenas.give(arena)
  }
}

/** The blocks that keys [begin, end) touch: first key of the block, and the part [from, to) of it. */
function* blocksOf(begin: number, end: number): Generator<[block: number, from: number, to: number]> {
  for (let block = begin - (begin % KEY_BLOCK); block < end; block += KEY_BLOCK) {
    yield [block, Math.max(begin - block, 0), Math.min(end - block, KEY_BLOCK)]
  }
}

/** Brings in the query rows and their key ranges; returns the keys [begin, end) of the whole chunk. */
function openChunk(call: Call, chunk: Chunk): [begin: number, end: number] {
  const { plan, arena, layout } = call
  const strips = Math.ceil(chunk.rows / STRIP)
  let begin = NO_BEGIN
  let end = 0
  for (let row = 0; row < strips * STRIP; row++) {
    // Spare lanes of the last strip repeat its last row, as packQueries does.
    const stacked = chunk.first + Math.min(row, chunk.rows - 1)
    let [low, high] = rowRange(plan, chunk.item.index, Math.floor(stacked / chunk.group))
    if (high <= low) [low, high] = [NO_BEGIN, 0]
    const state = stateOf(layout, row)
    arena.ints[state + STATE.begin] = low
    arena.ints[state + STATE.end] = high
    begin = Math.min(begin, low)
    end = Math.max(end, high)
  }
  bringQueries(call, chunk)
  arena.kernel.openStrips(layout.state, strips, layout.output, layout.valueStride)
  return [begin, end]
}

/** Where the range of a row without keys begins; it ends at 0. */
const NO_BEGIN = 2 ** 31 - 1

function attendBlock(call: Call, chunk: Chunk, block: number, from: number, to: number): void {
  const { plan, arena, layout } = call
  bringKeys(call, chunk, block, from, to)
  bringValues(call, chunk, block, from, to)
  arena.kernel.attendBlock(
    layout.queries,
    layout.keys,
    layout.stage,
    layout.output,
    layout.state,
    layout.scores,
    Math.ceil(chunk.rows / STRIP),
    plan.headDim,
    layout.valueStride,
    block,
    to,
    exponentScale(plan),
  )
}

function closeChunk(call: Call, chunk: Chunk): void {
  const { plan, arena, layout } = call
  const strips = Math.ceil(chunk.rows / STRIP)
  arena.kernel.closeStrips(layout.state, strips, layout.output, layout.valueStride)
  if (plan.outputs & Output.output) writeOutput(call, chunk)
  if (plan.outputs & Output.lse) writeLse(call, chunk)
}
