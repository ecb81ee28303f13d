import { fma } from './lanes'
import { BEGUN, RESCALE } from './strip'
import { HALF_FROM, HALF_TO, SCORES, STRIDE, VALUES, VISIBLE } from './task'
import { multiplyTile } from './tile'

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
 * A weight of 0 adds nothing to finite values, so both ways give the same bits.
 */
export function addValuesByRow(task: usize, strip: usize, output: usize): void {
  const stride = load<usize>(task, STRIDE)
  const begun = load<i32>(strip, BEGUN)
  for (let row: usize = 0; row < 32; row += 4) {
    const weights = load<usize>(task, SCORES) + row
    const visible = load<u64>(task + 2 * row, VISIBLE)
    const rescale = v128.load32_splat(strip + row, RESCALE)
    let values = load<usize>(task, VALUES)
    for (const rowEnd = output + stride; output < rowEnd; output += 16, values += 16) {
      let sum = f32x4.splat(0)
      for (let keys = visible; keys; keys &= keys - 1) {
        const key = <usize>ctz(keys)
        sum = fma(v128.load32_splat(weights + (key << 5)), v128.load(values + key * stride), sum)
      }
      v128.store(output, begun ? fma(v128.load(output), rescale, sum) : sum)
    }
  }
}

/** Whether the values of keys [from, to) of a block are finite. */
export function allFinite(task: usize, from: i32, to: i32): bool {
  const stride = load<usize>(task, STRIDE)
  const values = load<usize>(task, VALUES)
  const end = values + <usize>to * stride
  const zero = f32x4.splat(0)
  let a = zero
  let b = zero
  for (let at = values + <usize>from * stride; at < end; at += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(at), zero))
    b = f32x4.add(b, f32x4.mul(v128.load(at, 16), zero))
  }
  return i32x4.all_true(f32x4.eq(f32x4.add(a, b), zero))
}
