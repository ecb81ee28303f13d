/**
 * The way of a plan through an arena: for each chunk of query rows, all blocks of keys that it attends to.
 * @module
 */
import { type Arrays, Feature, Output, type Plan } from '../attention/plan.ts'
import type { Steps } from './steps.ts'
import type { Arenas } from './wasm-arena.ts'
import { bringKeys, bringQueries, bringValues } from './wasm-bring.ts'
import { type Call, type Chunk, chunksOf, itemOf } from './wasm-chunk.ts'
import { layoutOf } from './wasm-layout.ts'
import { lookOf, showEveryKey, showVisible } from './wasm-look.ts'
import { blocksOf, spansOf } from './wasm-reach.ts'
import { writeChunk, writeSlopes, writeTask } from './wasm-task.ts'
import { addressMasks, MaskWindow } from './wasm-window.ts'
import { clearPadding, writeLse, writeOutput, writeSinks } from './wasm-write.ts'

/** Runs a plan; a step is one chunk against one block. */
export function* attend(plan: Plan, arrays: Arrays, arenas: Arenas): Steps {
  const layout = layoutOf(plan)
  const arena = arenas.take(layout.bytes)
  const call = { plan, arrays, arena, layout }
  try {
    writeTask(call)
    const look = lookOf(plan, arrays)
    for (let b = 0; b < plan.batch; b++) {
      const item = itemOf(plan, b)
      clearPadding(call, item)
      for (const chunk of chunksOf(plan, item, layout.rows)) {
        const spans = spansOf(call, chunk)
        openChunk(call, chunk)
        const masks = new MaskWindow(call, chunk, spans)
        for (const [block, from, to] of blocksOf(spans)) {
          bringKeys(call, chunk, block, from, to)
          bringValues(call, chunk, block, from, to)
          arena.kernel.attendBlock(layout.task, block, masks.reach(block), from, to)
          yield
        }
        closeChunk(call, chunk)
        yield
        if (look) yield* showVisible(call, look, chunk, spans)
      }
      if (look) yield* showEveryKey(call, look, item)
    }
  } finally {
    arenas.give(arena)
  }
}

/** Brings in the query rows and what is known of each. */
function openChunk(call: Call, chunk: Chunk): void {
  writeChunk(call, chunk)
  addressMasks(call, chunk)
  writeSlopes(call, chunk)
  bringQueries(call, chunk)
  call.arena.kernel.openStrips(call.layout.task)
}

function closeChunk(call: Call, chunk: Chunk): void {
  const { plan, arena, layout } = call
  if (plan.features & Feature.sinks) writeSinks(call, chunk)
  arena.kernel.closeStrips(layout.task)
  if (plan.outputs & Output.lse) writeLse(call, chunk)
  if (plan.outputs & Output.output) writeOutput(call, chunk)
}
