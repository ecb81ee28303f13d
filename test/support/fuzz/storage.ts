/**
 * Numbers as a type stores them.
 * @module
 */
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../../oracle/half.ts'
import type { OracleTensor } from '../../oracle/types.ts'

type Type = NonNullable<OracleTensor['type']>

const ENCODE = { float32: Math.fround, float16: encodeFloat16, bfloat16: encodeBfloat16 }
const DECODE = { float32: (x: number) => x, float16: decodeFloat16, bfloat16: decodeBfloat16 }

/** What stands for a number in a tensor of a type. */
export function encode(type: Type | undefined, x: number): number {
  return ENCODE[type ?? 'float32'](x)
}

/** The number that an element of a tensor of a type stands for. */
export function decode(type: Type | undefined, element: number): number {
  return DECODE[type ?? 'float32'](element)
}

/** The same tensor in a type; its numbers rounded to it. */
export function stored(
  { data, dims }: { data: Float32Array; dims: readonly number[] },
  type: Type | undefined,
): OracleTensor & { data: Float32Array | Uint16Array } {
  if (type === undefined || type === 'float32') return { data, dims }
  return { data: Uint16Array.from(data, x => encode(type, x)), dims, type }
}
