// The state of a strip: eight query rows that are worked on together, one per lane.
// The offsets are bytes. The host writes what comes before MAX (src/backends/wasm-chunk.ts), and reads MAX and SUM.
import { OUTPUT, STATE, STRIDE, STRIPS } from './task'

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
/** Range that some row attends to, and range that every row attends to. */
export const SOME_BEGIN: usize = 320
export const SOME_END: usize = 324
export const EVERY_BEGIN: usize = 328
export const EVERY_END: usize = 332
export const STRIP_BYTES: usize = 336

/** Makes the strips of a chunk ready for their first block of keys, from the ranges the host wrote. */
export function openStrips(task: usize): void {
  const strips = load<usize>(task, STRIPS)
  let state = load<usize>(task, STATE)
  memory.fill(load<usize>(task, OUTPUT), 0, strips * 8 * load<usize>(task, STRIDE))
  for (const end = state + strips * STRIP_BYTES; state < end; state += STRIP_BYTES) {
    let someBegin = i32.MAX_VALUE
    let someEnd = 0
    let everyBegin = 0
    let everyEnd = i32.MAX_VALUE
    for (let row: usize = 0; row < 32; row += 4) {
      const first = load<i32>(state + row, BEGIN)
      const last = load<i32>(state + row, END)
      someBegin = min(someBegin, first)
      someEnd = max(someEnd, last)
      everyBegin = max(everyBegin, first)
      everyEnd = min(everyEnd, last)
    }
    store<i32>(state, someBegin, SOME_BEGIN)
    store<i32>(state, someEnd, SOME_END)
    store<i32>(state, everyBegin, EVERY_BEGIN)
    store<i32>(state, everyEnd, EVERY_END)
    const none = f32x4.splat(-Infinity)
    v128.store(state, none, MAX)
    v128.store(state, none, MAX + 16)
    v128.store(state, f32x4.splat(0), SUM)
    v128.store(state, f32x4.splat(0), SUM + 16)
  }
}

/** Divides the summed values by the sum of weights; a row without keys stays 0. */
export function closeStrips(task: usize): void {
  const stride = load<usize>(task, STRIDE)
  let output = load<usize>(task, OUTPUT)
  let state = load<usize>(task, STATE)
  for (const end = state + load<usize>(task, STRIPS) * STRIP_BYTES; state < end; state += STRIP_BYTES) {
    for (let row: usize = 0; row < 32; row += 4) {
      const sum = load<f32>(state + row, SUM)
      const divisor = f32x4.splat(sum == 0 ? 1 : sum)
      for (const rowEnd = output + stride; output < rowEnd; output += 16) {
        // A sum that underflowed to -0 becomes 0, whichever neighbours the row had.
        v128.store(output, f32x4.add(f32x4.div(v128.load(output), divisor), f32x4.splat(0)))
      }
    }
  }
}
