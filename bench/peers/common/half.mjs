/** float16 as bits, for numbers that fit into it exactly, as those of a Work that asks for it do. */

const SMALLEST = 2 ** -24
const FRACTION = 1024

/** @param {number} value @returns {number} the bits */
function bitsOf(value) {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size < FRACTION * SMALLEST) return sign | (size / SMALLEST)
  const exponent = Math.floor(Math.log2(size))
  return sign | ((exponent + 15) << 10) | (FRACTION * (size / 2 ** exponent - 1))
}

/** @param {number} bits @returns {number} */
function numberOf(bits) {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & (FRACTION - 1)
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * SMALLEST
  return sign * (FRACTION + fraction) * 2 ** (exponent - 25)
}

/** @param {Float32Array} data @returns {Uint16Array} */
export const toHalf = data => Uint16Array.from(data, bitsOf)

/** Bits, or the numbers themselves where the runtime has a Float16Array. @param {ArrayLike<number>} data */
export const fromHalf = data =>
  data instanceof Uint16Array ? Float32Array.from(data, numberOf) : Float32Array.from(data)
