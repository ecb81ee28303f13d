/**
 * Which keys a query attends to, and what is added to its scores.
 * @module
 */
import { numbersOf } from './half.ts'
import type { Item, Shape } from './shape.ts'
import type { OracleOptions, OracleTensor } from './types.ts'

/** Where row 0 of an item stands among its keys. */
export function offsetOf(item: Item, b: number, options: OracleOptions): number {
  const { queryOffset, causal } = options
  if (typeof queryOffset === 'number') return queryOffset
  if (queryOffset) return queryOffset[b]
  if (causal === 'bottom-right') return item.keyEnd - item.queryRows
  return 0
}

/** By position alone: the valid keys, causality, the window. */
export function inRange(item: Item, p: number, j: number, options: OracleOptions): boolean {
  if (j < item.keyBegin || j >= item.keyEnd) return false
  if (options.causal && j > p) return false
  const { left, right } = options.window ?? {}
  if (left !== undefined && j < p - left) return false
  if (right !== undefined && j > p + right) return false
  return true
}

/** Reads an element of a mask at [item, head, query row, key], broadcasting axes of size 1. */
export type MaskReader = (b: number, h: number, row: number, key: number) => number

export function maskReader(mask: OracleTensor): MaskReader {
  const dims = [...mask.dims]
  while (dims.length < 4) dims.unshift(1)
  const [batch, heads, rows, keys] = dims
  const width = mask.bits ? Math.ceil(keys / 32) : keys
  const numbers = numbersOf(mask)
  return (b, h, row, key) => {
    const line = ((batch === 1 ? 0 : b) * heads + (heads === 1 ? 0 : h)) * rows + (rows === 1 ? 0 : row)
    const at = keys === 1 ? 0 : key
    if (!mask.bits) return numbers[line * width + at]
    return Math.floor(numbers[line * width + Math.floor(at / 32)] / 2 ** (at % 32)) % 2
  }
}

/** ALiBi slopes for any number of heads (Press et al.: odd powers fill up to a power of two). */
export function slopesOf(alibi: true | Float32Array, heads: number): ArrayLike<number> {
  if (alibi !== true) return alibi
  const power = 2 ** Math.floor(Math.log2(heads))
  return Array.from({ length: heads }, (_, h) =>
    h < power ? 2 ** ((-8 * (h + 1)) / power) : 2 ** ((-4 * (2 * (h - power) + 1)) / power),
  )
}

/** Everything that decides about one score beside q and k. */
export interface Rules {
  position(b: number, i: number): number
  attended(b: number, h: number, i: number, j: number): boolean
  /** What bias adds; 0 without one. */
  bias(b: number, h: number, i: number, j: number): number
  /** What ALiBi adds; 0 without it. */
  alibi(b: number, h: number, i: number, j: number): number
}

export function rulesOf(shape: Shape, options: OracleOptions): Rules {
  const { items } = shape
  const keep = options.keep && maskReader(options.keep)
  const drop = options.drop && maskReader(options.drop)
  const bias = options.bias && maskReader(options.bias)
  const slopes = options.alibi && slopesOf(options.alibi, shape.heads)
  const offsets = items.map((item, b) => offsetOf(item, b, options))
  const at = (read: MaskReader, b: number, h: number, i: number, j: number): number =>
    read(b, h, items[b].queryFirst + i, items[b].keyFirst + j)
  return {
    position: (b, i) => offsets[b] + i,
    attended: (b, h, i, j) =>
      i < items[b].queryRows &&
      inRange(items[b], offsets[b] + i, j, options) &&
      !(keep && at(keep, b, h, i, j) === 0) &&
      !(drop && at(drop, b, h, i, j) !== 0) &&
      !(bias && at(bias, b, h, i, j) === Number.NEGATIVE_INFINITY),
    bias: (b, h, i, j) => (bias ? at(bias, b, h, i, j) : 0),
    alibi: (b, h, i, j) => (slopes ? -slopes[h] * Math.abs(offsets[b] + i - j) : 0),
  }
}
