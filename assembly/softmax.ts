import { weigh } from './exp'
import { fma } from './lanes'
import { INVERSE, MAX, RESCALE, SUM } from './strip'

/**
 * One block of the online softmax for four rows (a half strip): scores become weights relative to the greatest score
 * so far; the maximum and the sum move on. Sums run in the order of the keys, from blocks at absolute places, so their
 * bits are the row's own.
 */
export function softmaxBlock(state: usize, scores: usize, from: i32, to: i32, scale: f32): void {
  const first = scores + <usize>(from << 5)
  const end = scores + <usize>(to << 5)
  const before = v128.load(state, MAX)
  // pmax(a, b) keeps `a` when b is NaN: a NaN never becomes the maximum, it reaches the row through its own weight.
  let m0 = before
  let m1 = before
  let m2 = before
  let m3 = before
  for (let at = first; at < end; at += 128) {
    m0 = f32x4.pmax(m0, v128.load(at))
    m1 = f32x4.pmax(m1, v128.load(at, 32))
    m2 = f32x4.pmax(m2, v128.load(at, 64))
    m3 = f32x4.pmax(m3, v128.load(at, 96))
  }
  const maximum = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3))
  const reference = finiteReference(maximum)
  const factor = f32x4.splat(scale)
  v128.store(state, before, RESCALE)
  const rescale = weigh(state + RESCALE, state + RESCALE + 32, reference, factor)
  const sum = weigh(first, end, reference, factor)
  v128.store(state, maximum, MAX)
  v128.store(state, fma(v128.load(state, SUM), rescale, sum), SUM)
}

/**
 * Final weights of four rows of closed strips for `keys` keys, in place of their scores. A masked key, whose score is
 * -inf, has weight 0 also in a row that is NaN.
 */
export function finalWeights(state: usize, scores: usize, keys: i32, scale: f32): void {
  const reference = finiteReference(v128.load(state, MAX))
  const factor = f32x4.splat(scale)
  const inverse = v128.load(state, INVERSE)
  const none = f32x4.splat(-Infinity)
  for (const end = scores + (<usize>keys << 5); scores < end; scores += 32) {
    const masked = f32x4.eq(v128.load(scores), none)
    weigh(scores, scores + 32, reference, factor)
    v128.store(scores, v128.andnot(f32x4.mul(v128.load(scores), inverse), masked))
  }
}

/** The maximum, or 0 where nothing is attended to yet: -inf - -inf would be NaN, -inf - 0 weighs 0. */
// @ts-ignore: decorator
@inline
function finiteReference(maximum: v128): v128 {
  return v128.andnot(maximum, f32x4.eq(maximum, f32x4.splat(-Infinity)))
}
