/**
 * The way of a plan through an arena: for each chunk of query rows, all blocks of keys that it attends to.
 * @module
 */
import { type Arrays, Feature, Output, type Plan } from '../attention/plan.ts'
import type { Steps } from './steps.ts'
import type { Arenas } from './wasm-arena.ts'
import { bringQueries, stageBlock, takeBlock } from './wasm-bring.ts'
import { type Call, type Chunk, chunksOf, itemOf } from './wasm-chunk.ts'
import { attendRows, bringRows, isFew } from './wasm-few.ts'
import { type Head, headsOf, layoutFor } from './wasm-heads.ts'
import { layoutOf } from './wasm-layout.ts'
import { lookOf, showEveryKey, showVisible } from './wasm-look.ts'
import { blocksOf, spansOf } from './wasm-reach.ts'
import { writeChunk, writeSlopes, writeTask } from './wasm-task.ts'
import { addressMasks, MaskWindow } from './wasm-window.ts'
import { clearPadding, writeLse, writeOutput, writeSinks } from './wasm-write.ts'

/** Runs a plan, or the chunks of it that `isMine` by their number; a step is one chunk against one block. */
export function* attend(
  plan: Plan,
  arrays: Arrays,
  arenas: Arenas,
  isMine?: (chunk: number) => boolean,
): Steps {
  let count = 0
  const arena = arenas.take(layoutOf(plan, 1).bytes, arrays.k.buffer)
  try {
    const look = lookOf(plan, arrays)
    for (let b = 0; b < plan.batch; b++) {
      const item = itemOf(plan, b)
      const layout = layoutFor(plan, item)
      arena.reserve(layout.bytes)
      const call = { plan, arrays, arena, layout }
      const few = isFew(plan, item)
      for (let h = 0; h < layout.heads; h++) writeTask({ ...call, layout: layoutOf(plan, layout.heads, h) })
      clearPadding(call, item)
      for (const chunk of chunksOf(plan, item, layout)) {
        if (isMine && !isMine(count++)) continue
        const spans = spansOf(call, chunk)
        const heads = headsOf(call, chunk)
        openChunk(call, chunk, heads, few)
        const masks = new MaskWindow(call, chunk, spans)
        let done = 0
        for (const [block, from, to] of blocksOf(spans)) {
          if (block < done) continue
          const offset = masks.reach(block)
          if (few) done = attendRows(call, chunk, heads, block, offset, from, to)
          else {
            stageBlock(call, chunk, block, from, to)
            for (let h = 0; h < heads.length; h++) {
              takeBlock(call, chunk, h, from, to)
              arena.kernel.attendBlock(heads[h].call.layout.task, block, offset, from, to)
            }
          }
          yield
        }
        closeChunk(call, chunk, heads)
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
function openChunk(call: Call, chunk: Chunk, heads: readonly Head[], few: boolean): void {
  if (few) bringRows(call, chunk, heads)
  else bringQueries(call, chunk, heads)
  for (const { call: own, chunk: part } of heads) {
    writeChunk(own, part)
    addressMasks(own, part)
    writeSlopes(own, part)
    own.arena.kernel.openStrips(own.layout.task)
  }
}

function closeChunk(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { plan, arena } = call
  for (const { call: own, chunk: part } of heads) {
    if (plan.features & Feature.sinks) writeSinks(own, part)
    arena.kernel.closeStrips(own.layout.task)
    if (plan.outputs & Output.lse) writeLse(own, part)
  }
  if (plan.outputs & Output.output) writeOutput(call, chunk, heads)
}
