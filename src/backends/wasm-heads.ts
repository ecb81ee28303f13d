/**
 * Heads that are worked on together. Where the heads of a token lie side by side, the rows of one head are scattered:
 * copied one by one they take 120 ns each when they come from memory, with those of three more heads 60 and of eleven
 * more 18 (Node 20, headDim 64). Of a ragged batch that was a fifth of the time.
 * @module
 */
import { Feature, Output, type Plan } from '../attention/plan.ts'
import { SHARED_BYTES } from './wasm-arena.ts'
import type { Call, Chunk, Item } from './wasm-chunk.ts'
import { type Layout, layoutOf } from './wasm-layout.ts'

/** With fewer rows of each head its keys are brought too often; more leave room for fewer heads (256: 3 % slower). */
const FEWEST_ROWS = 160

/** The layout for an item: as many heads together as leave room for enough rows of each. */
export function layoutFor(plan: Plan, { queryRows }: Pick<Item, 'queryRows'>): Layout {
  const rows = Math.min(queryRows, FEWEST_ROWS)
  const most = areSideBySide(plan) ? plan.kvHeads : 1
  for (let parts = 1; ; parts++) {
    const layout = layoutOf(plan, Math.ceil(most / parts))
    if (layout.heads === 1 || (layout.rows >= rows && layout.bytes <= SHARED_BYTES)) return layout
  }
}

/** Whether all heads of a row lie in one piece, and nothing else is needed for each head that is long. */
function areSideBySide(plan: Plan): boolean {
  const { features, outputs, headDim, valueDim } = plan
  const masked = features & (Feature.keep | Feature.drop | Feature.bias)
  const looked = outputs & (Output.weights | Output.scores | Output.mass)
  return (
    plan.heads === plan.kvHeads &&
    plan.pageKeys === 0 &&
    plan.qHead === headDim &&
    plan.kHead === headDim &&
    plan.vHead === valueDim &&
    (plan.oHead === valueDim || !(outputs & Output.output)) &&
    !masked &&
    !looked
  )
}

/** One of the heads of a chunk, with its own places in the arena. */
export interface Head {
  readonly call: Call
  readonly chunk: Chunk
}

export function headsOf(call: Call, chunk: Chunk): Head[] {
  if (chunk.heads === 1) return [{ call, chunk }]
  return Array.from({ length: chunk.heads }, (_, h) => ({
    call: { ...call, layout: layoutOf(call.plan, call.layout.heads, h) },
    chunk: { ...chunk, kvHead: chunk.kvHead + h, heads: 1 },
  }))
}
