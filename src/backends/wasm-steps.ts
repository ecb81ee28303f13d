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
import { isLow, wholeBlock } from './wasm-low.ts'
import { blocksOf, type Span, spansOf } from './wasm-reach.ts'
import { writeChunk, writeSlopes, writeTask } from './wasm-task.ts'
import { addressMasks, MaskWindow } from './wasm-window.ts'
import { clearPadding, writeLse, writeOutput, writeSinks } from './wasm-write.ts'

/** How the rows of an item are worked on: their kernel, or what is packed for it. */
type Way = 'few' | 'low' | 'packed'

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
      const way = isFew(plan, item) ? 'few' : isLow(plan, item) ? 'low' : 'packed'
      for (let h = 0; h < layout.heads; h++) writeTask({ ...call, layout: layoutOf(plan, layout.heads, h) })
      clearPadding(call, item)
      for (const chunk of chunksOf(plan, item, layout)) {
        if (isMine && !isMine(count++)) continue
        const spans = spansOf(call, chunk)
        const heads = headsOf(call, chunk)
        yield* attendChunk(call, chunk, heads, spans, way)
        writeResults(call, chunk, heads)
        yield
        if (!look) continue
        // What is shown comes from packed float32 keys, and needs the softmax of the same scores.
        if (way !== 'packed') yield* attendChunk(call, chunk, heads, spans, 'packed')
        yield* showVisible(call, look, chunk, spans)
      }
      if (look) yield* showEveryKey(call, look, item)
    }
  } finally {
    arenas.give(arena)
  }
}

/** All blocks that a chunk sees, up to its final output in the arena. */
function* attendChunk(
  call: Call,
  chunk: Chunk,
  heads: readonly Head[],
  spans: readonly Span[],
  way: Way,
): Steps {
  const { arena } = call
  openChunk(call, chunk, heads, way)
  const masks = new MaskWindow(call, chunk, spans)
  let done = 0
  for (const reached of blocksOf(spans)) {
    const [block, from, to] = way === 'low' ? wholeBlock(reached, chunk.item) : reached
    if (block < done) continue
    const offset = masks.reach(block)
    if (way === 'few') done = attendRows(call, chunk, heads, block, offset, from, to)
    else {
      stageBlock(call, chunk, block, from, to)
      for (const [h, { call: own }] of heads.entries()) {
        takeBlock(call, chunk, h, from, to)
        if (way === 'low') arena.kernel.packLow(own.layout.task, from, to)
        arena.kernel.attendBlock(own.layout.task, block, offset, from, to)
      }
    }
    yield
  }
  for (const { call: own, chunk: part } of heads) {
    if (call.plan.features & Feature.sinks) writeSinks(own, part)
    arena.kernel.closeStrips(own.layout.task)
  }
}

/** Brings in the query rows and what is known of each. */
function openChunk(call: Call, chunk: Chunk, heads: readonly Head[], way: Way): void {
  if (way === 'few') bringRows(call, chunk, heads)
  else bringQueries(call, chunk, heads)
  for (const { call: own, chunk: part } of heads) {
    writeChunk(own, part, way === 'low')
    addressMasks(own, part)
    writeSlopes(own, part)
    own.arena.kernel.openStrips(own.layout.task)
    if (way === 'low') own.arena.kernel.packLowQueries(own.layout.task)
  }
}

function writeResults(call: Call, chunk: Chunk, heads: readonly Head[]): void {
  const { outputs } = call.plan
  if (outputs & Output.lse) for (const { call: own, chunk: part } of heads) writeLse(own, part)
  if (outputs & Output.output) writeOutput(call, chunk, heads)
}
