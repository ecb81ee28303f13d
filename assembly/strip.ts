// The state of a strip: eight query rows that are worked on together, one per lane. The offsets are bytes.
// The host writes slopes, addresses and sinks, and reads MAX and SUM (src/backends/wasm-kernel.ts has their places).
import {
  FIRST, FIRST_POSITION, GROUP, KEY_BEGIN, KEY_END, LEFT, OUTPUT, RIGHT, ROWS, SINK_END, STATE, STRIDE, STRIPS,
} from './task'

/** Key range [begin, end) of each row, int32. A row without keys has begin 2^31 - 1 and end 0. */
export const BEGIN: usize = 0
export const END: usize = 32
/** Position among the keys, int32, and slope of ALiBi. */
export const POSITION: usize = 64
export const SLOPE: usize = 96
/** Addresses of the row's masks, at the first key of the window that the host brought. Rows may share them. */
export const KEEP_AT: usize = 128
export const DROP_AT: usize = 160
export const BIAS_AT: usize = 192
/** Running maximum of the scores; -inf while there is none. */
export const MAX: usize = 224
/** Running sum of the weights relative to the maximum. */
export const SUM: usize = 256
/** By how much the last block's maximum shrinks what was summed before it. */
export const RESCALE: usize = 288
/** What the row's sink adds to the sum of weights, float64: it may exceed all that float32 holds. */
export const SINK: usize = 320
/** What makes weights sum to 1, the sink counted; 0 for a row without keys. */
export const INVERSE: usize = 384
/** Range that some row attends to, and range that every row attends to. */
export const SOME_BEGIN: usize = 416
export const SOME_END: usize = 420
export const EVERY_BEGIN: usize = 424
export const EVERY_END: usize = 428
/** int32: whether the output holds sums of values yet; until then it holds anything. */
export const BEGUN: usize = 432
export const STRIP_BYTES: usize = 448

/** Makes the strips of a chunk ready for their first block of keys. */
export function openStrips(task: usize): void {
  const strips = load<usize>(task, STRIPS)
  let state = load<usize>(task, STATE)
  const none = f32x4.splat(-Infinity)
  for (let row = 0; row < <i32>strips * 8; row += 8, state += STRIP_BYTES) {
    openRows(task, state, row)
    v128.store(state, none, MAX)
    v128.store(state, none, MAX + 16)
    v128.store(state, f32x4.splat(0), SUM)
    v128.store(state, f32x4.splat(0), SUM + 16)
    for (let at: usize = 0; at < 64; at += 16) v128.store(state + at, f32x4.splat(0), SINK)
    store<i32>(state, 0, BEGUN)
  }
}

/** Ranges and positions of the eight rows from `row` on. Spare lanes repeat the last row, as packed queries do. */
function openRows(task: usize, state: usize, row: i32): void {
  const first = load<i32>(task, FIRST)
  const last = load<i32>(task, ROWS) - 1
  const group = load<i32>(task, GROUP)
  let someBegin = i32.MAX_VALUE
  let someEnd = 0
  let everyBegin = 0
  let everyEnd = i32.MAX_VALUE
  for (let lane: usize = 0; lane < 32; lane += 4, row++) {
    const position = load<i32>(task, FIRST_POSITION) + (first + min(row, last)) / group
    let begin = rangeBegin(task, position)
    let end = rangeEnd(task, position)
    if (begin >= end) {
      begin = i32.MAX_VALUE
      // The row may still see first keys, up to this end.
      if (min(end, load<i32>(task, SINK_END)) <= load<i32>(task, KEY_BEGIN)) end = 0
    }
    store<i32>(state + lane, begin, BEGIN)
    store<i32>(state + lane, end, END)
    store<i32>(state + lane, position, POSITION)
    someBegin = min(someBegin, begin)
    someEnd = max(someEnd, end)
    everyBegin = max(everyBegin, begin)
    everyEnd = min(everyEnd, end)
  }
  store<i32>(state, someBegin, SOME_BEGIN)
  store<i32>(state, someEnd, SOME_END)
  store<i32>(state, everyBegin, EVERY_BEGIN)
  store<i32>(state, everyEnd, EVERY_END)
}

/** A distance of the window that is open, as in src/attention/plan.ts. */
const OPEN = i32.MAX_VALUE

/** The keys [begin, end) that a row sees through the window: `rowRange` of src/attention/plan.ts. */
function rangeBegin(task: usize, position: i32): i32 {
  const begin = load<i32>(task, KEY_BEGIN)
  const left = load<i32>(task, LEFT)
  return left == OPEN ? begin : max(begin, position - left)
}

function rangeEnd(task: usize, position: i32): i32 {
  const end = load<i32>(task, KEY_END)
  const right = load<i32>(task, RIGHT)
  // Position and distance may each be 2^30.
  return right == OPEN ? end : <i32>min<i64>(end, <i64>position + right + 1)
}

/** Divides the summed values by the sum of weights; a row without keys stays 0. */
export function closeStrips(task: usize): void {
  const stride = load<usize>(task, STRIDE)
  let output = load<usize>(task, OUTPUT)
  let state = load<usize>(task, STATE)
  for (const end = state + load<usize>(task, STRIPS) * STRIP_BYTES; state < end; state += STRIP_BYTES) {
    if (!load<i32>(state, BEGUN)) memory.fill(output, 0, 8 * stride)
    for (let row: usize = 0; row < 32; row += 4) {
      const sum = load<f32>(state + row, SUM)
      const inverse: f32 = sum == 0 ? 0.0 : <f32>(1 / (<f64>sum + load<f64>(state + 2 * row, SINK)))
      store<f32>(state + row, inverse, INVERSE)
      const factor = f32x4.splat(inverse)
      for (const rowEnd = output + stride; output < rowEnd; output += 16) {
        // A sum that underflowed to -0 becomes 0, whichever neighbours the row had.
        v128.store(output, f32x4.add(f32x4.mul(v128.load(output), factor), f32x4.splat(0)))
      }
    }
  }
}
