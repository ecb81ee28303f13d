import { fma, lane0, lane1, lane2, lane3 } from './lanes'

/**
 * The inner loop of int16, `multiplyTile` with words of two numbers: C[4][8] = sum over t of A[t][4] * B[t][8], where a
 * product of words is that of both their halves. Sums are exact integers, which the units of row and column make float32.
 * With `sums` the means that columns have lost come back, times the sum of each row's weights.
 */
// @ts-ignore: decorator
@inline
export function multiplyWords(
  a: usize, aStep: usize, b: usize, bStep: usize, steps: i32, c: usize, cStep: usize, rescale: usize,
  rowUnits: usize, columnUnits: usize, sums: usize, means: usize,
): void {
  let c00 = i32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (const end = a + <usize>steps * aStep; a < end; a += aStep, b += bStep) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let a0: v128, a1: v128, a2: v128, a3: v128
    if (ASC_FEATURE_RELAXED_SIMD) {
      const four = v128.load(a)
      a0 = lane0(four)
      a1 = lane1(four)
      a2 = lane2(four)
      a3 = lane3(four)
    } else {
      a0 = v128.load32_splat(a)
      a1 = v128.load32_splat(a, 4)
      a2 = v128.load32_splat(a, 8)
      a3 = v128.load32_splat(a, 12)
    }
    c00 = i32x4.add(i32x4.dot_i16x8_s(a0, b0), c00)
    c01 = i32x4.add(i32x4.dot_i16x8_s(a0, b1), c01)
    c10 = i32x4.add(i32x4.dot_i16x8_s(a1, b0), c10)
    c11 = i32x4.add(i32x4.dot_i16x8_s(a1, b1), c11)
    c20 = i32x4.add(i32x4.dot_i16x8_s(a2, b0), c20)
    c21 = i32x4.add(i32x4.dot_i16x8_s(a2, b1), c21)
    c30 = i32x4.add(i32x4.dot_i16x8_s(a3, b0), c30)
    c31 = i32x4.add(i32x4.dot_i16x8_s(a3, b1), c31)
  }
  for (let row: usize = 0; row < 16; row += 4, c += cStep) {
    const unit = v128.load32_splat(rowUnits + row)
    let x = f32x4.mul(f32x4.convert_i32x4_s(c00), f32x4.mul(unit, v128.load(columnUnits)))
    let y = f32x4.mul(f32x4.convert_i32x4_s(c01), f32x4.mul(unit, v128.load(columnUnits, 16)))
    if (sums) {
      const weights = v128.load32_splat(sums + row)
      x = fma(weights, v128.load(means), x)
      y = fma(weights, v128.load(means, 16), y)
    }
    if (rescale) {
      const factor = v128.load32_splat(rescale + row)
      x = fma(v128.load(c), factor, x)
      y = fma(v128.load(c, 16), factor, y)
    }
    v128.store(c, x)
    v128.store(c, y, 16)
    c00 = c10
    c01 = c11
    c10 = c20
    c11 = c21
    c20 = c30
    c21 = c31
  }
}

/** Two float32 vectors, in units of 1 / `factor`, as words: `low` in the lower halves. Rounded to nearest, ties to even. */
// @ts-ignore: decorator
@inline
export function wordsOf(low: v128, high: v128, factor: v128): v128 {
  // Added to 1.5 * 2^23 an integer stands in the lower bits, in two's complement.
  const rounder = f32x4.splat(12582912)
  const a = f32x4.add(f32x4.mul(low, factor), rounder)
  const b = f32x4.add(f32x4.mul(high, factor), rounder)
  return v128.or(v128.and(a, i32x4.splat(0xffff)), i32x4.shl(b, 16))
}

/** Below it a row counts as 0, so that its unit stays a normal number. */
export const LEAST_SIZE: f32 = 1e-18
