/**
 * Where each number of a call lies: ranks, layouts and ragged batches become strides and items.
 * @module
 */
import type { OracleOptions, OracleTensor } from './types.ts'

/** Steps between neighbours, in elements; channels are contiguous. */
export interface Strides {
  batch: number
  head: number
  row: number
}

/** One sequence of the batch. Rows and keys count from its first tokens. */
export interface Item {
  queryFirst: number
  queries: number
  /** Rows that count; the ones behind give 0. */
  queryRows: number
  keyFirst: number
  keyBegin: number
  keyEnd: number
  keys: number
}

export interface Shape {
  items: Item[]
  ragged: boolean
  batch: number
  heads: number
  kvHeads: number
  headDim: number
  valueDim: number
  /** Rows and keys of the tensors: per item, or all tokens where the batch is ragged. */
  queries: number
  keys: number
  q: Strides
  k: Strides
  v: Strides
  output: Strides
  lse: Strides
  outputDims: number[]
  lseDims: number[]
}

interface Axes {
  batch: number
  heads: number
  rows: number
  channels: number
  strides: Strides
}

function axesOf(tensor: OracleTensor, heads: number, options: OracleOptions): Axes {
  const dims = tensor.dims
  if (options.cuSeqlens) {
    const [rows, ownHeads, channels] = dims
    return {
      batch: 0,
      heads: ownHeads,
      rows,
      channels,
      strides: { batch: 0, head: channels, row: ownHeads * channels },
    }
  }
  if (dims.length === 2) {
    const [rows, channels] = dims
    return { batch: 1, heads: 1, rows, channels, strides: { batch: 0, head: 0, row: channels } }
  }
  if (dims.length === 3) {
    const [batch, rows, width] = dims
    const channels = width / heads
    return { batch, heads, rows, channels, strides: { batch: rows * width, head: channels, row: width } }
  }
  if (options.layout === 'bshd') {
    const [batch, rows, ownHeads, channels] = dims
    const row = ownHeads * channels
    return { batch, heads: ownHeads, rows, channels, strides: { batch: rows * row, head: channels, row } }
  }
  const [batch, ownHeads, rows, channels] = dims
  const head = rows * channels
  return { batch, heads: ownHeads, rows, channels, strides: { batch: ownHeads * head, head, row: channels } }
}

export function shapeOf(q: OracleTensor, k: OracleTensor, v: OracleTensor, options: OracleOptions): Shape {
  const heads = options.heads ?? 1
  const kvHeads = options.kvHeads ?? heads
  const queryAxes = axesOf(q, heads, options)
  const keyAxes = axesOf(k, kvHeads, options)
  const valueAxes = axesOf(v, kvHeads, options)
  const queries = queryAxes.rows
  const outputDims = [...q.dims]
  const last = outputDims.length - 1
  const threeOfHeads = outputDims.length === 3 && !options.cuSeqlens
  outputDims[last] = valueAxes.channels * (threeOfHeads ? heads : 1)
  const output = axesOf({ data: [], dims: outputDims }, heads, options).strides
  const ragged = options.cuSeqlens
  const lse = ragged
    ? { batch: 0, head: 1, row: queryAxes.heads }
    : { batch: queryAxes.heads * queries, head: queries, row: 1 }
  return {
    items: ragged
      ? raggedItems(ragged, options)
      : denseItems(queryAxes.batch, queries, keyAxes.rows, options),
    ragged: ragged !== undefined,
    batch: ragged ? ragged.q.length - 1 : queryAxes.batch,
    heads: queryAxes.heads,
    kvHeads: keyAxes.heads,
    headDim: keyAxes.channels,
    valueDim: valueAxes.channels,
    queries,
    keys: keyAxes.rows,
    q: queryAxes.strides,
    k: keyAxes.strides,
    v: valueAxes.strides,
    output,
    lse,
    outputDims,
    lseDims: ragged ? [queries, queryAxes.heads] : [queryAxes.batch, queryAxes.heads, queries],
  }
}

function denseItems(batch: number, queries: number, keys: number, options: OracleOptions): Item[] {
  return Array.from({ length: batch }, (_, b) => ({
    queryFirst: 0,
    queries,
    keyFirst: 0,
    keys,
    ...lengthsOf(b, queries, keys, options),
  }))
}

function raggedItems({ q, k }: { q: Int32Array; k: Int32Array }, options: OracleOptions): Item[] {
  return Array.from({ length: q.length - 1 }, (_, b) => {
    const queries = q[b + 1] - q[b]
    const keys = k[b + 1] - k[b]
    return { queryFirst: q[b], queries, keyFirst: k[b], keys, ...lengthsOf(b, queries, keys, options) }
  })
}

function lengthsOf(
  b: number,
  queries: number,
  keys: number,
  { queryLengths, leftPad, keyLengths }: OracleOptions,
): Pick<Item, 'queryRows' | 'keyBegin' | 'keyEnd'> {
  return {
    queryRows: queryLengths ? queryLengths[b] : queries,
    keyBegin: leftPad ? leftPad[b] : 0,
    keyEnd: keyLengths ? keyLengths[b] : keys,
  }
}
