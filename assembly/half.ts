// float16 and bfloat16 as they lie in tensors, to float32 and back: the same numbers as src/numeric/half.ts.

/** Storage types, as in src/attention/plan.ts. */
export const FLOAT32 = 0
export const FLOAT16 = 1
export const BFLOAT16 = 2

/** Four numbers of a storage type as float32; `type` is a constant where it is used, so there is no choice at run time. */
// @ts-ignore: decorator
@inline
export function loadFour(at: usize, type: i32): v128 {
  if (type == FLOAT32) return v128.load(at)
  const bits = v128.load16x4_u(at)
  return type == FLOAT16 ? fromFloat16(bits) : i32x4.shl(bits, 16)
}

/**
 * `count` numbers of a half type to float32, four at a time. They may lie in the upper half of the room for the result:
 * what is written never passes what is still to be read.
 */
export function widen(source: usize, target: usize, count: i32, type: i32): void {
  const end = source + <usize>count * 2
  if (type == FLOAT16) for (; source < end; source += 8, target += 16) v128.store(target, loadFour(source, FLOAT16))
  else for (; source < end; source += 8, target += 16) v128.store(target, loadFour(source, BFLOAT16))
}

/** `count` float32 numbers (a multiple of 8) to a half type, ties to even; `target` may be `source`. */
export function narrow(source: usize, target: usize, count: i32, type: i32): void {
  for (const end = source + <usize>count * 4; source < end; source += 32, target += 16) {
    const a = v128.load(source)
    const b = v128.load(source, 16)
    v128.store(
      target,
      type == FLOAT16
        ? i16x8.narrow_i32x4_u(toFloat16(a), toFloat16(b))
        : i16x8.narrow_i32x4_u(toBfloat16(a), toBfloat16(b)),
    )
  }
}

/**
 * Moved into place, a float16 is a float32 that is 2^112 too small, its subnormals included; the product is exact.
 * The exponent of Inf and NaN becomes that of float32's.
 */
// @ts-ignore: decorator
@inline
function fromFloat16(bits: v128): v128 {
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13)
  const special = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x0f800000)), i32x4.splat(0x7f800000))
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16)
  return v128.or(v128.or(f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33)), special), sign)
}

/**
 * Numbers that stay normal are rounded by adding to the bits that will be cut off; an overflow carries into the exponent
 * of Inf. Subnormal ones are rounded by adding 1/2, whose last bit is worth 2^-24, the unit of float16's subnormals.
 */
// @ts-ignore: decorator
@inline
function toFloat16(value: v128): v128 {
  const sign = v128.and(value, i32x4.splat(0x80000000))
  const magnitude = v128.xor(value, sign)
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1))
  const normal = i32x4.shr_u(
    i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - 0x38000000)), odd), 13,
  )
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000))
  let bits = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)))
  bits = v128.bitselect(i32x4.splat(0x7c00), bits, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)))
  bits = v128.bitselect(i32x4.splat(0x7e00), bits, i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)))
  return v128.or(bits, i32x4.shr_u(sign, 16))
}

// @ts-ignore: decorator
@inline
function toBfloat16(value: v128): v128 {
  const high = i32x4.shr_u(value, 16)
  const odd = v128.and(high, i32x4.splat(1))
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(value, i32x4.splat(0x7fff)), odd), 16)
  const magnitude = v128.and(value, i32x4.splat(0x7fffffff))
  const isNaN = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000))
  return v128.bitselect(v128.or(high, i32x4.splat(0x40)), rounded, isNaN)
}
