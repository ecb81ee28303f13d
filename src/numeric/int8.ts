/**
 * Rows of numbers as int8: codes from -127 to 127, and one float32 scale for the row. A number is its code times the scale.
 *
 * The scale is the row's largest magnitude / 127, cut to 17 significant bits: a code has 7, so that the product is
 * exactly a float32, on every backend and in whatever order it is computed. A number is off by half a scale at most,
 * which is 1/254 of the row's largest.
 * @module
 */

const MOST_CODE = 127
/** Smaller scales would not be normal numbers, whose products are exact. Rows that small are off by half of this. */
const LEAST_SCALE = 2 ** -126

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The scale of a row whose largest magnitude this is. */
export function scaleOf(largest: number): number {
  float[0] = largest / MOST_CODE
  bits[0] &= ~0x7f
  return Math.max(float[0], LEAST_SCALE)
}

/** Whether rows may have this scale: one that is none would spread where nobody attends. */
export function isScale(scale: number): boolean {
  return scale >= LEAST_SCALE && scale <= scaleOf(MOST_FLOAT)
}

const MOST_FLOAT = (2 - 2 ** -23) * 2 ** 127

/** Added and taken away, it leaves the nearest integer, ties to even: half the time of Math.round (measured). */
const ROUNDING = 1.5 * 2 ** 52

/** Codes of `count` finite numbers from `from` on; returns their scale. */
export function toInt8(
  numbers: Float32Array,
  from: number,
  codes: Int8Array,
  to: number,
  count: number,
): number {
  let largest = 0
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(numbers[from + i])
    if (magnitude > largest) largest = magnitude
  }
  const scale = scaleOf(largest)
  for (let i = 0; i < count; i++) codes[to + i] = numbers[from + i] / scale + ROUNDING - ROUNDING
  return scale
}
