import { addTransposed, fma } from './lanes'

/**
 * Scores of four rows s to s * unit + bias: scores[key][a vector every 32 bytes] of keys [from, to), both multiples of 4.
 * `rows` holds the addresses of the rows' biases, `offset` keys before the block's.
 */
export function addBias(rows: usize, scores: usize, from: i32, to: i32, offset: i32, unit: f32): void {
  const factor = f32x4.splat(unit)
  const skip = <usize>(offset + from) << 2
  let a = load<usize>(rows) + skip
  let b = load<usize>(rows, 4) + skip
  let c = load<usize>(rows, 8) + skip
  let d = load<usize>(rows, 12) + skip
  let at = scores + (<usize>from << 5)
  const end = scores + (<usize>to << 5)
  if (a == b && b == c && c == d) {
    for (; at < end; at += 32, a += 4) v128.store(at, fma(v128.load(at), factor, v128.load32_splat(a)))
    return
  }
  for (; at < end; at += 128) {
    addTransposed(v128.load(a), v128.load(b), v128.load(c), v128.load(d), at, 32, factor)
    a += 16
    b += 16
    c += 16
    d += 16
  }
}
