import { fma } from './lanes'
import { POSITION, SLOPE } from './strip'

/**
 * Scores of four rows (half a strip, whose state is at `rows`) s to s * unit - slope * |position - key|, for the keys from
 * `key` on: a vector every 32 bytes of [at, end). The distance is an integer until it is exact to make it a float.
 */
export function addAlibi(rows: usize, at: usize, end: usize, key: i32, unit: f32): void {
  const factor = f32x4.splat(unit)
  const fall = f32x4.neg(v128.load(rows, SLOPE))
  const one = i32x4.splat(1)
  let distance = i32x4.sub(v128.load(rows, POSITION), i32x4.splat(key))
  for (; at < end; at += 32) {
    const penalty = f32x4.mul(fall, f32x4.convert_i32x4_s(i32x4.abs(distance)))
    v128.store(at, fma(v128.load(at), factor, penalty))
    distance = i32x4.sub(distance, one)
  }
}
