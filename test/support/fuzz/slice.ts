/**
 * Some query rows of one item of a call, as a call of its own: no neighbours, its heads first, its position told.
 * @module
 */
import { offsetOf } from '../../oracle/rules.ts'
import { type Shape, type Strides, shapeOf } from '../../oracle/shape.ts'
import type { OracleOptions, OracleTensor } from '../../oracle/types.ts'
import type { FuzzCall } from './build.ts'

export interface Cut {
  readonly item: number
  readonly from: number
  readonly to: number
}

/** The rows of a cut as a call of rank 4 and batch 1. */
export function slice(call: FuzzCall, cut: Cut): FuzzCall {
  const { q, k, v, options } = call
  const shape = shapeOf(q, k, v, options)
  const { item: b, from, to } = cut
  const item = shape.items[b]
  const rows = { first: item.queryFirst + from, count: to - from }
  const keys = { first: item.keyFirst, count: item.keys }
  const { causal, window, alibi, keyLengths, queryLengths, leftPad, keep, drop, bias } = options
  const positional = Boolean(causal || window || alibi)
  const { scale, softcap, sinks } = options
  const mask = (tensor: OracleTensor | undefined): OracleTensor | undefined =>
    tensor && cutMask(tensor, b, rows, keys)
  const own: OracleOptions = {
    ...{ scale, softcap, sinks, window, alibi, keep: mask(keep), drop: mask(drop), bias: mask(bias) },
    ...(causal && { causal: true }),
    ...(positional && { queryOffset: offsetOf(item, b, options) + from }),
    ...(keyLengths && { keyLengths: Int32Array.of(item.keyEnd) }),
    ...(leftPad && { leftPad: Int32Array.of(item.keyBegin) }),
    ...(queryLengths && {
      queryLengths: Int32Array.of(Math.min(Math.max(item.queryRows - from, 0), to - from)),
    }),
  }
  return {
    q: gather(q, shape.q, b, shape.heads, rows, shape.headDim),
    k: gather(k, shape.k, b, shape.kvHeads, keys, shape.headDim),
    v: gather(v, shape.v, b, shape.kvHeads, keys, shape.valueDim),
    options: Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
  }
}

interface Run {
  readonly first: number
  readonly count: number
}

type Data = Float32Array | Uint16Array

/** Rows of one item, [1, heads, rows, channels]. */
function gather(
  { data, type }: OracleTensor,
  strides: Strides,
  b: number,
  heads: number,
  { first, count }: Run,
  channels: number,
): OracleTensor {
  const all = data as Data
  const picked = all.slice(0, 0).constructor as new (length: number) => Data
  const own = new picked(heads * count * channels)
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const at = b * strides.batch + head * strides.head + (first + row) * strides.row
      own.set(all.subarray(at, at + channels), (head * count + row) * channels)
    }
  }
  return { data: own, dims: [1, heads, count, channels], ...(type && { type }) }
}

/** The same rows of an output in the layout of its call, [1, heads, rows, valueDim]. */
export function outputRows(output: OracleTensor, shape: Shape, { item: b, from, to }: Cut): OracleTensor {
  const rows = { first: shape.items[b].queryFirst + from, count: to - from }
  return gather(output, shape.output, b, shape.heads, rows, shape.valueDim)
}

/** A mask of all of a call, cut to the rows and keys of one item; what broadcasts goes on to. */
function cutMask(mask: OracleTensor, b: number, rows: Run, keys: Run): OracleTensor {
  const [batch, heads, queries, width] = [1, 1, 1, 1, ...mask.dims].slice(-4)
  const words = mask.bits ? Math.ceil(width / 32) : width
  const many = queries !== 1
  const count = many ? rows.count : 1
  const kept = mask.bits ? Math.ceil(keys.count / 32) : keys.count
  const all = mask.data as Uint8Array
  const own = new (all.constructor as new (length: number) => Uint8Array)(heads * count * kept)
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const line = ((batch === 1 ? 0 : b) * heads + head) * queries + (many ? rows.first + row : 0)
      const start = (head * count + row) * kept
      for (let j = 0; j < keys.count; j++) {
        const key = width === 1 ? 0 : keys.first + j
        if (!mask.bits) own[start + j] = all[line * words + key]
        else own[start + (j >> 5)] |= ((all[line * words + (key >> 5)] >>> (key & 31)) & 1) << (j & 31)
      }
    }
  }
  return {
    data: own,
    dims: [1, heads, count, keys.count],
    ...(mask.type && { type: mask.type }),
    ...(mask.bits && { bits: true }),
  }
}
