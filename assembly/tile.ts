import { FLOAT32 } from './half'
import { fma, lane0, lane1, lane2, lane3 } from './lanes'
import { firstFour, secondFour } from './stored'

/**
 * The one inner loop of both products: C[4][8] = sum over t of A[t][4] * B[t][8].
 *
 * A step broadcasts four values of A and loads eight of B: with 8 accumulators that fits the 16 registers of x64 in
 * every engine (wider tiles spill in V8 before 13). The broadcast is a load in the plain build: without fused
 * multiply-adds the vector units are short and the load units are not (Node 20: 40 against 32 GFLOP/s with shuffles).
 * In the relaxed build it is one load and four shuffles: the same speed on Node 22 to 24, and 33 against 19 on Deno,
 * which checks the bounds of every load.
 * B may be stored in another `type`, a constant (stored.ts).
 * With `rescale` the tile in memory is scaled row by row and the product added to it; with 0 it is replaced.
 */
// @ts-ignore: decorator
@inline
export function multiplyTile(
  a: usize, aStep: usize, b: usize, bStep: usize, steps: i32, c: usize, cStep: usize, rescale: usize, type: i32 = FLOAT32,
): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (const end = a + <usize>steps * aStep; a < end; a += aStep, b += bStep) {
    const b0 = firstFour(b, type)
    const b1 = secondFour(b, type)
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
    c00 = fma(a0, b0, c00)
    c01 = fma(a0, b1, c01)
    c10 = fma(a1, b0, c10)
    c11 = fma(a1, b1, c11)
    c20 = fma(a2, b0, c20)
    c21 = fma(a2, b1, c21)
    c30 = fma(a3, b0, c30)
    c31 = fma(a3, b1, c31)
  }
  let row = c
  if (rescale) {
    const scale = v128.load(rescale)
    c00 = fma(v128.load(row), lane0(scale), c00)
    c01 = fma(v128.load(row, 16), lane0(scale), c01)
    row += cStep
    c10 = fma(v128.load(row), lane1(scale), c10)
    c11 = fma(v128.load(row, 16), lane1(scale), c11)
    row += cStep
    c20 = fma(v128.load(row), lane2(scale), c20)
    c21 = fma(v128.load(row, 16), lane2(scale), c21)
    row += cStep
    c30 = fma(v128.load(row), lane3(scale), c30)
    c31 = fma(v128.load(row, 16), lane3(scale), c31)
    row = c
  }
  v128.store(row, c00)
  v128.store(row, c01, 16)
  row += cStep
  v128.store(row, c10)
  v128.store(row, c11, 16)
  row += cStep
  v128.store(row, c20)
  v128.store(row, c21, 16)
  row += cStep
  v128.store(row, c30)
  v128.store(row, c31, 16)
}
