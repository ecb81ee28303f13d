/**
 * Half-precision storage as bits: IEEE binary16 and bfloat16, to and from float32.
 * @module
 */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Value of the float16 with these bits. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Bits of the float16 nearest to a float32, ties to even. */
export function toFloat16(value: number): number {
  float[0] = value
  return float16OfBits(bits[0])
}

/** The same from the bits of the float32. */
export function float16OfBits(single: number): number {
  const sign = (single >>> 16) & 0x8000
  const magnitude = single & 0x7fff_ffff
  if (magnitude > 0x7f80_0000) return sign | 0x7e00
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  if (magnitude >= 0x3880_0000)
    return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  if (magnitude < 0x3300_0000) return sign
  const exponent = magnitude >>> 23
  return sign | roundShift((magnitude & 0x7f_ffff) | 0x80_0000, 126 - exponent)
}

/** Value of the bfloat16 with these bits. */
export function fromBfloat16(half: number): number {
  bits[0] = half << 16
  return float[0]
}

/** Bits of the bfloat16 nearest to a float32, ties to even. */
export function toBfloat16(value: number): number {
  float[0] = value
  if ((bits[0] & 0x7fff_ffff) > 0x7f80_0000) return (bits[0] >>> 16) | 0x40
  return roundShift(bits[0], 16)
}

function roundShift(value: number, shift: number): number {
  const kept = value >>> shift
  const rest = value - kept * 2 ** shift
  const half = 2 ** (shift - 1)
  return rest > half || (rest === half && kept & 1) ? kept + 1 : kept
}
