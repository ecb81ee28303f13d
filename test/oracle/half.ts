/**
 * Half-precision numbers, decoded and rounded by their definition (IEEE 754 binary16, bfloat16).
 * @module
 */
import type { OracleTensor } from './types.ts'

export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

export function decodeBfloat16(bits: number): number {
  return new Float32Array(new Uint32Array([bits * 0x10000]).buffer)[0]
}

/** Rounds to the nearest number with `digits` binary digits, ties to even, as small as 2^tiny, below 2^limit. */
function roundTo(x: number, digits: number, tiny: number, limit: number): number {
  if (x === 0 || !Number.isFinite(x)) return x
  const exponent = Math.floor(Math.log2(Math.abs(x)))
  const step = 2 ** Math.max(exponent - digits + 1, tiny)
  const quotient = x / step
  let whole = Math.floor(quotient)
  const rest = quotient - whole
  if (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0)) whole++
  const rounded = whole * step
  return Math.abs(rounded) >= 2 ** limit ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded
}

export function roundFloat16(x: number): number {
  return roundTo(x, 11, -24, 16)
}

export function roundBfloat16(x: number): number {
  return roundTo(x, 8, -133, 128)
}

/** The bits of a number that binary16 can hold exactly. */
export function encodeFloat16(x: number): number {
  const value = roundFloat16(x)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  return sign | ((exponent + 15) << 10) | (size * 2 ** (10 - exponent) - 1024)
}

export function encodeBfloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0
  return new Uint32Array(new Float32Array([roundBfloat16(x)]).buffer)[0] >>> 16
}

/** Half a unit in the last place of a result of that type; 0 for float32, whose own budget covers it. */
export function halfUlp(type: string | undefined, x: number): number {
  if (type === 'float16') return Math.max(Math.abs(x) * 2 ** -11, 2 ** -25)
  if (type === 'bfloat16') return Math.max(Math.abs(x) * 2 ** -8, 2 ** -134)
  return 0
}

export function typeOf(tensor: OracleTensor): 'float32' | 'float16' | 'bfloat16' {
  if (tensor.type) return tensor.type
  return tensor.data.constructor.name === 'Float16Array' ? 'float16' : 'float32'
}

/** The numbers of a tensor, whatever they are stored as. */
export function numbersOf(tensor: OracleTensor): Float64Array {
  const { data } = tensor
  if (!(data instanceof Uint16Array)) return Float64Array.from(data)
  return Float64Array.from(data, typeOf(tensor) === 'bfloat16' ? decodeBfloat16 : decodeFloat16)
}
