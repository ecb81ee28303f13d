import { fma } from './lanes'

/**
 * 2^f on [-1/2, 1/2]: coefficients of f^6 to f^1, minimax for the relative error. With float32 rounding that is at most
 * 1.1e-7, root mean square 2.8e-8, over 3 million points; degree 5 has 1.9e-7 and 6.7e-8 for one step less.
 * They are loaded because newer V8 builds a vector constant anew at every use (Node 24: 310 ns against 660 per strip and
 * block; Node 20: no difference).
 */
export const POLYNOMIAL = memory.data<f32>([
  0.0001535336341476068, 0.0013398875016719103, 0.00961843691766262,
  0.055503323674201965, 0.24022647738456726, 0.6931471824645996,
])
/** -127 and 1.5 * 2^23 + 127 */
export const RANGE = memory.data<f32>([-127, 12583039])

/**
 * Turns scores s (a vector every 32 bytes of [at, end)) into weights 2^((s - reference) * factor), which are at most 1,
 * and returns their sum. Below 2^-126 a weight is exactly 0, for s = -inf too. A NaN stays a NaN.
 *
 * With x = n + f, n an integer: adding 1.5 * 2^23 + 127 rounds x and leaves n + 127, the exponent field of 2^n, in the
 * low bits. The factor comes after the subtraction: its rounding then grows with the difference, not with the score.
 */
// @ts-ignore: decorator
@inline
export function weigh(at: usize, end: usize, reference: v128, factor: v128): v128 {
  const lowest = v128.load32_splat(RANGE)
  const rounder = v128.load32_splat(RANGE, 4)
  const c6 = v128.load32_splat(POLYNOMIAL)
  const c5 = v128.load32_splat(POLYNOMIAL, 4)
  const c4 = v128.load32_splat(POLYNOMIAL, 8)
  const c3 = v128.load32_splat(POLYNOMIAL, 12)
  const c2 = v128.load32_splat(POLYNOMIAL, 16)
  const c1 = v128.load32_splat(POLYNOMIAL, 20)
  const one = f32x4.splat(1)
  let sum = f32x4.splat(0)
  for (; at < end; at += 32) {
    const difference = f32x4.mul(f32x4.sub(v128.load(at), reference), factor)
    // pmax(a, b) is b only where a < b: unlike max it is one instruction, and it lets a NaN in `a` through.
    const x = f32x4.pmax(difference, lowest)
    const shifted = f32x4.add(x, rounder)
    const f = f32x4.sub(x, f32x4.sub(shifted, rounder))
    const p = fma(slope(f, c6, c5, c4, c3, c2, c1), f, one)
    const weight = f32x4.mul(p, i32x4.shl(shifted, 23))
    v128.store(at, weight)
    sum = f32x4.add(sum, weight)
  }
  return sum
}

/** (2^f - 1) / f on [-1/2, 1/2], from the coefficients of POLYNOMIAL. */
// @ts-ignore: decorator
@inline
export function slope(f: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128): v128 {
  return fma(fma(fma(fma(fma(c6, f, c5), f, c4), f, c3), f, c2), f, c1)
}
