/**
 * The reference: the tutorial, the executable specification, and the backend of last resort.
 * @module
 */
import {
  type Arrays,
  Feature,
  ITEM_WORDS,
  type Plan,
  rowRange,
  SCALE_BYTES,
  Storage,
  type Stored,
} from '../attention/plan.ts'
import { fromBfloat16, fromFloat16 } from '../numeric/half.ts'
import type { Backend } from './backend.ts'
import { attendRow, type Floats, showRow } from './reference-passes.ts'
import { runSteps, runStepsAsync, type Steps } from './steps.ts'

/** Opens the reference backend; it runs everywhere. */
export function openReference(): Backend {
  const { int16, bfloat16, int8, ...run } = Feature
  return {
    name: 'reference',
    isa: 'none',
    threads: 1,
    maxThreads: 1,
    features: Object.values(run).reduce((all, bit) => all | bit, 0),
    run: (plan, arrays) => runSteps(steps(plan, arrays)),
    runAsync: (plan, arrays, signal) => runStepsAsync(steps(plan, arrays), signal),
    describe: plan => ({
      kernel: 'four passes',
      tile: { queries: 1, keys: 1, block: plan.keys },
      split: 1,
      tasks: 1,
      scratchBytes: plan.keys * 16,
    }),
  }
}

function* steps(plan: Plan, given: Arrays): Steps {
  const arrays = floats(plan, given)
  const slots = slotsOf(arrays.rows)
  // One row of each, reused by all rows.
  const scores = new Float64Array(plan.keys)
  const weights = new Float64Array(plan.keys)
  arrays.mass?.fill(0)
  arrays.weights?.fill(0)
  arrays.scores?.fill(Number.NEGATIVE_INFINITY)
  for (let item = 0; item < plan.batch; item++) {
    const [queryFirst, queryTotal, queryRows, keyFirst, keys, , , position] = plan.items.subarray(
      item * ITEM_WORDS.length,
    )
    for (let head = 0; head < plan.heads; head++) {
      for (let i = 0; i < queryTotal; i++) {
        const visible = i < queryRows ? visibleKeys(plan, item, i) : []
        const row = {
          item,
          head,
          i,
          position: position + i,
          keys,
          query: queryFirst + i,
          keyFirst,
          visible,
          low: visible[0]?.[0] ?? 0,
          high: visible.at(-1)?.[1] ?? 0,
        }
        attendRow(plan, arrays, row, scores, weights)
        for (const slot of slots ? (slots.get(i) ?? []) : [row.query])
          showRow(plan, arrays, row, slot, scores, weights)
        yield
      }
    }
  }
}

/** The keys that a row sees by position: through the window, and the first ones of a cache that stay beside it. */
function visibleKeys(plan: Plan, item: number, i: number): (readonly [from: number, to: number])[] {
  const [low, high] = rowRange(plan, item, i)
  const begin = plan.items[item * ITEM_WORDS.length + 5]
  const firstEnd = Math.min(plan.sinkTokens, high)
  const ranges = [[begin, firstEnd] as const, [Math.max(low, firstEnd), high] as const]
  return ranges.filter(([from, to]) => from < to)
}

/** Slots of weights and scores that each selected row fills (a row may be selected twice). */
function slotsOf(rows: Int32Array | undefined): Map<number, number[]> | undefined {
  if (rows === undefined) return undefined
  const slots = new Map<number, number[]>()
  for (const [slot, i] of rows.entries()) slots.set(i, [...(slots.get(i) ?? []), slot])
  return slots
}

/** The arrays of a call with every float one as float32. */
function floats(plan: Plan, arrays: Arrays): Floats {
  return {
    ...arrays,
    q: widen(arrays.q, plan.qType),
    k: widenStored(arrays.k, plan, 'k'),
    v: widenStored(arrays.v, plan, 'v'),
    bias: arrays.bias && widen(arrays.bias, plan.biasType),
  }
}

function widenStored(data: Stored, plan: Plan, side: 'k' | 'v'): Float32Array {
  if (plan.kvType !== Storage.int8) return widen(data as Float32Array | Uint16Array, plan.kvType)
  const numbers = Float32Array.from(data)
  const scales = new Float32Array(data.buffer, data.byteOffset, data.length / SCALE_BYTES)
  const channels = side === 'k' ? plan.headDim : plan.valueDim
  const rows = plan.pageKeys * plan[`${side}Row`]
  const head = plan[`${side}Head`]
  for (let first = 0; first < data.length; first += head) {
    for (let row = 0; row < plan.pageKeys; row++) {
      const scale = scales[(first + rows) / SCALE_BYTES + row]
      const at = first + row * plan[`${side}Row`]
      for (let c = 0; c < channels; c++) numbers[at + c] *= scale
    }
  }
  return numbers
}

function widen(data: Float32Array | Uint16Array, type: number): Float32Array {
  if (type === Storage.float32) return data as Float32Array
  return Float32Array.from(data, type === Storage.float16 ? fromFloat16 : fromBfloat16)
}
