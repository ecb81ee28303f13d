import { fma } from './lanes'
import { BEGIN, END, RESCALE } from './strip'
import { multiplyTile } from './tile'

/** output[8 rows] = output * rescale + weights * values, over keys [from, to) of a block. Strides are bytes. */
export function addValues(
  strip: usize, weights: usize, values: usize, output: usize, from: i32, to: i32, stride: usize,
): void {
  const weightsFrom = weights + <usize>(from << 5)
  const valuesFrom = values + <usize>from * stride
  for (let channel: usize = 0; channel < stride; channel += 32) {
    const columns = valuesFrom + channel
    const target = output + channel
    multiplyTile(weightsFrom, 32, columns, stride, to - from, target, stride, strip + RESCALE)
    multiplyTile(weightsFrom + 16, 32, columns, stride, to - from, target + 4 * stride, stride, strip + RESCALE + 16)
  }
}

/**
 * The same with every row kept to its own keys: 0 * NaN would carry a value into rows that do not attend to it.
 * A weight of 0 adds nothing to finite values, so both ways give the same bits.
 */
export function addValuesByRow(
  strip: usize, weights: usize, values: usize, output: usize, from: i32, to: i32, stride: usize, blockStart: i32,
): void {
  for (let row: usize = 0; row < 32; row += 4) {
    const first = max(from, load<i32>(strip + row, BEGIN) - blockStart)
    const end = min(to, load<i32>(strip + row, END) - blockStart)
    const rescale = v128.load32_splat(strip + row, RESCALE)
    for (const rowEnd = output + stride; output < rowEnd; output += 16, values += 16) {
      let sum = f32x4.splat(0)
      for (let key = first; key < end; key++) {
        const weight = v128.load32_splat(weights + row + <usize>(key << 5))
        sum = fma(weight, v128.load(values + <usize>key * stride), sum)
      }
      v128.store(output, fma(v128.load(output), rescale, sum))
    }
    values -= stride
  }
}

/** Whether all floats of [at, end) are finite; the length is a multiple of 32 bytes. */
export function allFinite(at: usize, end: usize): bool {
  const zero = f32x4.splat(0)
  let a = zero
  let b = zero
  for (; at < end; at += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(at), zero))
    b = f32x4.add(b, f32x4.mul(v128.load(at, 16), zero))
  }
  return i32x4.all_true(f32x4.eq(f32x4.add(a, b), zero))
}
