import { fma } from './lanes'
import { BEGUN, RESCALE } from './strip'
import { HALF_FROM, HALF_TO, SCORES, STRIDE, VALUES, VISIBLE } from './task'
import { multiplyTile } from './tile'
import { below } from './visible'

/**
 * output[8 rows] = output * rescale + weights * values, over the keys of a block that a strip sees; its first block
 * replaces what is there.
 */
export function addValues(task: usize, strip: usize, output: usize): void {
  const stride = load<usize>(task, STRIDE)
  const scores = load<usize>(task, SCORES)
  const values = load<usize>(task, VALUES)
  const begun = load<i32>(strip, BEGUN)
  const from0 = load<i32>(task, HALF_FROM)
  const from1 = load<i32>(task, HALF_FROM + 8)
  const keys0 = load<i32>(task, HALF_TO) - from0
  const keys1 = load<i32>(task, HALF_TO + 8) - from1
  const weights0 = scores + (<usize>from0 << 5)
  const weights1 = scores + (<usize>from1 << 5) + 16
  const rescale0 = begun ? strip + RESCALE : 0
  const rescale1 = begun ? strip + RESCALE + 16 : 0
  const values0 = values + <usize>from0 * stride
  const values1 = values + <usize>from1 * stride
  for (let channel: usize = 0; channel < stride; channel += 32) {
    const target = output + channel
    multiplyTile(weights0, 32, values0 + channel, stride, keys0, target, stride, rescale0)
    multiplyTile(weights1, 32, values1 + channel, stride, keys1, target + 4 * stride, stride, rescale1)
  }
}

/**
 * The same with every row kept to the keys that it sees: 0 * NaN would carry a value into rows that do not attend to it.
 * A weight of 0 adds nothing to finite values, so both ways give the same bits; sums are taken over pieces of so many keys.
 */
export function addValuesByRow(
  task: usize, strip: usize, output: usize, values: usize, step: usize, piece: i32,
): void {
  const stride = load<usize>(task, STRIDE)
  for (let row: usize = 0; row < 32; row += 4, output += stride) {
    const half = task + ((row >> 4) << 3)
    const end = load<i32>(half, HALF_TO)
    let rescale = load<i32>(strip, BEGUN) ? v128.load32_splat(strip + row, RESCALE) : f32x4.splat(0)
    let begun = load<i32>(strip, BEGUN)
    let from = load<i32>(half, HALF_FROM)
    do {
      const to = min((from & -piece) + piece, end)
      addRow(task, row, output, values, step, load<u64>(task + 2 * row, VISIBLE) & below(to) & ~below(from), begun, rescale)
      from = to
      rescale = f32x4.splat(1)
      begun = 1
    } while (from < end)
  }
}

// @ts-ignore: decorator
@inline
function addRow(
  task: usize, row: usize, output: usize, values: usize, step: usize, visible: u64, begun: i32, rescale: v128,
): void {
  const weights = load<usize>(task, SCORES) + row
  for (const end = output + load<usize>(task, STRIDE); output < end; output += 16, values += 16) {
    let sum = f32x4.splat(0)
    for (let keys = visible; keys; keys &= keys - 1) {
      const key = <usize>ctz(keys)
      sum = fma(v128.load32_splat(weights + (key << 5)), v128.load(values + key * step), sum)
    }
    v128.store(output, begun ? fma(v128.load(output), rescale, sum) : sum)
  }
}

/** Whether rows [from, to) of float32 values, which fill their `step` bytes, are finite. */
export function allFinite(values: usize, step: usize, from: i32, to: i32): bool {
  const end = values + <usize>to * step
  const zero = f32x4.splat(0)
  let a = zero
  let b = zero
  for (let at = values + <usize>from * step; at < end; at += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(at), zero))
    b = f32x4.add(b, f32x4.mul(v128.load(at, 16), zero))
  }
  return i32x4.all_true(f32x4.eq(f32x4.add(a, b), zero))
}
