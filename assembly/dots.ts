import { fma, lane0, lane1, lane2, lane3 } from './lanes'
import { firstFour, fourBytes } from './stored'

// Scores against keys as they are stored, `step` bytes apart: a vector with a lane for each query row, every 32 bytes of
// `scores`. Lanes of the sums are channels, so that nothing has to be packed. Query rows have `rowBytes` bytes; `type` is a
// constant, keys [from, to) are whole tiles of four.

/**
 * Of four query rows, which lie one behind the other. Two keys and four channels at a time: V8 before 13 hoists all loads of
 * a loop's body, so they and the sums must fit into registers together.
 */
// @ts-ignore: decorator
@inline
export function dotFour(
  queries: usize, rowBytes: usize, keys: usize, step: usize, from: i32, to: i32, scores: usize, type: i32,
): void {
  const width = fourBytes(type)
  const end = queries + rowBytes
  let at = scores + (<usize>from << 5)
  for (let key = from; key < to; key += 2, at += 64) {
    let a = keys + <usize>key * step
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
    for (let q = queries; q < end; q += 16, a += width) {
      const k0 = firstFour(a, type)
      const k1 = firstFour(a + step, type)
      const q0 = v128.load(q)
      const q1 = v128.load(q + rowBytes)
      const q2 = v128.load(q + 2 * rowBytes)
      const q3 = v128.load(q + 3 * rowBytes)
      s00 = fma(k0, q0, s00)
      s01 = fma(k1, q0, s01)
      s10 = fma(k0, q1, s10)
      s11 = fma(k1, q1, s11)
      s20 = fma(k0, q2, s20)
      s21 = fma(k1, q2, s21)
      s30 = fma(k0, q3, s30)
      s31 = fma(k1, q3, s31)
    }
    v128.store(at, sumsOf(s00, s10, s20, s30))
    v128.store(at, sumsOf(s01, s11, s21, s31), 32)
  }
}

/** Of a single query row, whose score fills all four lanes. */
// @ts-ignore: decorator
@inline
export function dotOne(
  queries: usize, rowBytes: usize, keys: usize, step: usize, from: i32, to: i32, scores: usize, type: i32,
): void {
  const width = fourBytes(type)
  const end = queries + rowBytes
  let at = scores + (<usize>from << 5)
  for (let key = from; key < to; key += 4, at += 128) {
    let a = keys + <usize>key * step
    let b = a + 2 * step
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    for (let q = queries; q < end; q += 16, a += width, b += width) {
      const row = v128.load(q)
      s0 = fma(firstFour(a, type), row, s0)
      s1 = fma(firstFour(a + step, type), row, s1)
      s2 = fma(firstFour(b, type), row, s2)
      s3 = fma(firstFour(b + step, type), row, s3)
    }
    const sums = sumsOf(s0, s1, s2, s3)
    v128.store(at, lane0(sums))
    v128.store(at, lane1(sums), 32)
    v128.store(at, lane2(sums), 64)
    v128.store(at, lane3(sums), 96)
  }
}

/** The sum of the lanes of each vector, side by side. */
// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}
