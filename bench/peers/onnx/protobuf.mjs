/**
 * The few kinds of protobuf field that a one-node ONNX model needs, so that models are made from
 * readable numbers here and no binary file is kept.
 */

const VARINT = 0
const BYTES = 2
const FIXED32 = 5

/** @param {number} value a non-negative integer below 2^32 */
function varint(value) {
  const bytes = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

/** @param {number} field @param {number} value @returns {number[]} */
export const integer = (field, value) => [...varint((field << 3) | VARINT), ...varint(value)]

/** @param {number} field @param {number} value @returns {number[]} */
export const float = (field, value) => [
  ...varint((field << 3) | FIXED32),
  ...new Uint8Array(Float32Array.of(value).buffer),
]

/** @param {number} field @param {Iterable<number>} value @returns {number[]} */
export function bytes(field, value) {
  const content = [...value]
  return [...varint((field << 3) | BYTES), ...varint(content.length), ...content]
}

/** @param {number} field @param {string} value @returns {number[]} */
export const text = (field, value) => bytes(field, new TextEncoder().encode(value))

/** A nested message made of its fields. @param {number} field @param {number[][]} fields @returns {number[]} */
export const message = (field, fields) => bytes(field, fields.flat())
