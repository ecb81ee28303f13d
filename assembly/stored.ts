// Keys and values as they are stored, a vector of eight channels at a time, for kernels that read them in place.
import { BFLOAT16, FLOAT16, FLOAT32 } from './half'

/** int8 codes, as in src/attention/plan.ts; their scales are the caller's. */
export const INT8 = 3

/**
 * The first and the second four of eight numbers. `type` is a constant where it is used. float16 comes 2^112 too small and
 * must be finite: to move it into place is all that is done, two steps for four numbers instead of nine.
 */
// @ts-ignore: decorator
@inline
export function firstFour(at: usize, type: i32): v128 {
  if (type == FLOAT32) return v128.load(at)
  if (type == BFLOAT16) return i32x4.shl(v128.load16x4_u(at), 16)
  if (type == FLOAT16) return smallFloat16(v128.load16x4_s(at))
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v128.load8x8_s(at)))
}

// @ts-ignore: decorator
@inline
export function secondFour(at: usize, type: i32): v128 {
  if (type == FLOAT32) return v128.load(at, 16)
  if (type == BFLOAT16) return i32x4.shl(v128.load16x4_u(at, 8), 16)
  if (type == FLOAT16) return smallFloat16(v128.load16x4_s(at, 8))
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v128.load8x8_s(at)))
}

/** Bytes of four channels. int8 is read eight at a time all the same, so beyond the end of the last row. */
// @ts-ignore: decorator
@inline
export function fourBytes(type: i32): usize {
  return eightBytes(type) >> 1
}

/** What makes the numbers of `firstFour` those that are stored. */
// @ts-ignore: decorator
@inline
export function unitOf(type: i32): f32 {
  return type == FLOAT16 ? 5.192296858534828e33 : 1
}

/** With the sign spread over the upper half, a shift puts exponent and fraction into place below four copies of the sign. */
// @ts-ignore: decorator
@inline
function smallFloat16(bits: v128): v128 {
  return v128.and(i32x4.shl(bits, 13), i32x4.splat(0x8fffffff))
}

/** Bytes of eight channels. */
// @ts-ignore: decorator
@inline
export function eightBytes(type: i32): usize {
  return type == FLOAT32 ? 32 : type == INT8 ? 8 : 16
}

/** Whether `rows` rows of `width` bytes (whole vectors) of float16 are finite. */
export function finiteFloat16(at: usize, step: usize, rows: i32, width: usize): bool {
  if (step == width) {
    width *= rows
    rows = 1
  }
  const exponent = i16x8.splat(0x7c00)
  let a = i16x8.splat(0)
  let b = a
  for (; rows > 0; rows--, at += step) {
    let c: usize = 0
    for (; c + 64 <= width; c += 64) {
      a = i16x8.max_s(a, v128.and(v128.load(at + c), exponent))
      b = i16x8.max_s(b, v128.and(v128.load(at + c, 16), exponent))
      a = i16x8.max_s(a, v128.and(v128.load(at + c, 32), exponent))
      b = i16x8.max_s(b, v128.and(v128.load(at + c, 48), exponent))
    }
    for (; c < width; c += 16) a = i16x8.max_s(a, v128.and(v128.load(at + c), exponent))
  }
  return !v128.any_true(i16x8.eq(i16x8.max_s(a, b), exponent))
}
