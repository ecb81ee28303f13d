// The additive bias: rows of floats along the keys, read as they lie in the tensor, while the lanes of scores are rows.
import { BFLOAT16, FLOAT16, FLOAT32, loadFour } from './half'
import { lane0, lane1, lane2, lane3, scaleAndAdd, scaleAndAddTransposed } from './lanes'
import { BIAS_AT } from './strip'
import { BIAS_TYPE } from './task'

/** Bytes of a number of a storage type, as a power of 2. */
// @ts-ignore: decorator
@inline
function sizeOf2(type: i32): usize {
  return type == FLOAT32 ? 2 : 1
}

/**
 * Scores of four rows s to s * unit + bias, for keys [from, to) of a block, both multiples of 4: scores[key][a vector
 * every 32 bytes]. `rows` is the state of their strip at the first of them; the block is `offset` keys into the window.
 */
export function addBias(task: usize, rows: usize, scores: usize, from: i32, to: i32, offset: i32, unit: f32): void {
  const type = load<i32>(task, BIAS_TYPE)
  if (type == FLOAT32) addRows(rows, scores, from, to, offset, unit, FLOAT32)
  else if (type == FLOAT16) addRows(rows, scores, from, to, offset, unit, FLOAT16)
  else addRows(rows, scores, from, to, offset, unit, BFLOAT16)
}

// @ts-ignore: decorator
@inline
function addRows(rows: usize, scores: usize, from: i32, to: i32, offset: i32, unit: f32, type: i32): void {
  const factor = f32x4.splat(unit)
  const skip = <usize>(offset + from) << sizeOf2(type)
  const step = <usize>4 << sizeOf2(type)
  let a = load<usize>(rows, BIAS_AT) + skip
  let b = load<usize>(rows, BIAS_AT + 4) + skip
  let c = load<usize>(rows, BIAS_AT + 8) + skip
  let d = load<usize>(rows, BIAS_AT + 12) + skip
  let at = scores + (<usize>from << 5)
  const end = scores + (<usize>to << 5)
  if (a == b && b == c && c == d) {
    for (; at < end; at += 128, a += step) {
      const four = loadFour(a, type)
      scaleAndAdd(at, factor, lane0(four))
      scaleAndAdd(at + 32, factor, lane1(four))
      scaleAndAdd(at + 64, factor, lane2(four))
      scaleAndAdd(at + 96, factor, lane3(four))
    }
    return
  }
  for (; at < end; at += 128) {
    scaleAndAddTransposed(
      at, 32, factor, loadFour(a, type), loadFour(b, type), loadFour(c, type), loadFour(d, type),
    )
    a += step
    b += step
    c += step
    d += step
  }
}

/** Which keys of a block have a bias of -inf in a row whose window begins at `row`: bit t for key t. */
export function lowestBias(task: usize, row: usize, offset: i32): u64 {
  const type = load<i32>(task, BIAS_TYPE)
  const at = row + (<usize>offset << sizeOf2(type))
  if (type == FLOAT32) return holdsLowest(at) ? lowestFloats(at) : 0
  return lowestHalves(at, i16x8.splat(type == FLOAT16 ? <i16>0xfc00 : <i16>0xff80))
}

/** Whether -inf is among 64 floats: mostly it is not, and this is half the work of finding where. */
function holdsLowest(at: usize): bool {
  let a = f32x4.splat(0)
  let b = a
  for (const end = at + 256; at < end; at += 32) {
    // min would let a NaN hide what comes with it; pmin(a, b) is `a` unless b is less, and `a` begins as a number.
    a = f32x4.pmin(a, v128.load(at))
    b = f32x4.pmin(b, v128.load(at, 16))
  }
  const none = f32x4.splat(-Infinity)
  return v128.any_true(v128.or(f32x4.eq(a, none), f32x4.eq(b, none)))
}

function lowestFloats(at: usize): u64 {
  const none = f32x4.splat(-Infinity)
  let keys: u64 = 0
  for (let shift: u64 = 0; shift < 64; shift += 16, at += 64) {
    const a = i16x8.narrow_i32x4_s(f32x4.eq(v128.load(at), none), f32x4.eq(v128.load(at, 16), none))
    const b = i16x8.narrow_i32x4_s(f32x4.eq(v128.load(at, 32), none), f32x4.eq(v128.load(at, 48), none))
    keys |= (<u64>i8x16.bitmask(i8x16.narrow_i16x8_s(a, b))) << shift
  }
  return keys
}

// @ts-ignore: decorator
@inline
function lowestHalves(at: usize, none: v128): u64 {
  let keys: u64 = 0
  for (let shift: u64 = 0; shift < 64; shift += 16, at += 32) {
    const both = i8x16.narrow_i16x8_s(i16x8.eq(v128.load(at), none), i16x8.eq(v128.load(at, 16), none))
    keys |= (<u64>i8x16.bitmask(both)) << shift
  }
  return keys
}
