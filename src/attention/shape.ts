/**
 * Ranks and layouts, reduced to sizes and strides.
 * @module
 */
import { checkInteger, checkOneOf, orDefault, wrongType, wrongValue } from './check.ts'
import { OPEN, Storage, storageName } from './plan.ts'
import type { Source } from './tensor.ts'
import type { AttentionOptions } from './types.ts'

/** Strides in elements of one tensor: to the next item, head and row. */
export interface Strides {
  readonly batch: number
  readonly head: number
  readonly row: number
}

export interface Shape {
  /** Items; of a ragged batch the sequences. */
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  /** Query rows and keys per item; of a ragged batch all tokens. */
  readonly queries: number
  readonly keys: number
  readonly headDim: number
  readonly valueDim: number
  readonly q: Strides
  readonly k: Strides
  readonly v: Strides
  readonly out: Strides
  readonly outDims: readonly number[]
  readonly lse: Strides
  readonly lseDims: readonly number[]
  /** Items along the batch axis of masks, weights and lse: 1 for a ragged batch. */
  readonly maskBatch: number
}

/** Sizes of one tensor and its strides. */
export interface Axes {
  readonly batch: number
  readonly heads: number
  readonly rows: number
  readonly channels: number
  readonly strides: Strides
}

/** How the tensors of a call are to be read. */
interface Reading {
  readonly rank: number
  readonly ragged: boolean
  readonly bshd: boolean
  readonly heads: number
  readonly kvHeads: number
}

/** Reads sizes and strides of q, k and v; throws where they do not fit each other. */
export function readShape(q: Source, k: Source, v: Source, options: AttentionOptions): Shape {
  const reading = readReading(q, options)
  const { rank, bshd, ragged, heads, kvHeads } = reading
  for (const [name, source] of [
    ['k', k],
    ['v', v],
  ] as const) {
    if (source.dims.length !== rank) throw wrongValue(`${name}.dims`, `rank ${rank} as q has`, source.dims)
  }
  const qAxes = axes('q', q.dims, bshd, ragged, heads)
  const kAxes = axes('k', k.dims, bshd, ragged, kvHeads)
  const vAxes = axes('v', v.dims, bshd, ragged, kvHeads)
  checkTypes(q, k, v)
  checkQueries(q, qAxes)
  agree(k, v, qAxes, kAxes, vAxes)
  return combine(q, reading, qAxes, kAxes, vAxes, ragged ? options.cuSeqlens!.q.length - 1 : qAxes.batch)
}

/** The same over a cache, whose keys and values bring their own axes. */
export function readCachedShape(
  q: Source,
  type: number,
  keys: Axes,
  values: Axes,
  options: AttentionOptions,
): Shape {
  const reading = readReading(q, options)
  const qAxes = axes('q', q.dims, reading.bshd, false, reading.heads)
  if (q.type !== Storage.float32 && q.type !== type) {
    const fits = type === Storage.float16 ? 'float32, or float16 as the cache has' : 'float32'
    throw wrongType('q.type', fits, storageName(q.type))
  }
  checkQueries(q, qAxes)
  if (qAxes.batch !== keys.batch) throw wrongValue('q.dims', `batch ${keys.batch} as the cache has`, q.dims)
  if (qAxes.channels !== keys.channels)
    throw wrongValue('q.dims', `headDim ${keys.channels} as the cache has`, q.dims)
  if (qAxes.heads % keys.heads !== 0) {
    const expected = `a number of heads that the ${keys.heads} kvHeads of the cache divide (found ${qAxes.heads})`
    throw wrongValue('q.dims', expected, q.dims)
  }
  return combine(q, reading, qAxes, keys, values, qAxes.batch)
}

function readReading(q: Source, options: AttentionOptions): Reading {
  const rank = q.dims.length
  const ragged = options.cuSeqlens !== undefined
  if (rank < 2 || (ragged && rank !== 3)) {
    const expected = ragged ? 'rank 3, [tokens, heads, headDim], beside cuSeqlens' : 'rank 2, 3 or 4'
    throw wrongValue('q.dims', expected, q.dims)
  }
  const { heads, kvHeads } = headOptions(rank, ragged, options)
  return { rank, ragged, bshd: readLayout(options.layout, rank, ragged) === 'bshd', heads, kvHeads }
}

function combine(q: Source, reading: Reading, qAxes: Axes, keys: Axes, values: Axes, batch: number): Shape {
  const { rank, ragged, bshd, heads } = reading
  const outDims = outputDims(q.dims, qAxes, values.channels, rank, ragged)
  return {
    batch,
    heads: qAxes.heads,
    kvHeads: keys.heads,
    queries: qAxes.rows,
    keys: keys.rows,
    headDim: qAxes.channels,
    valueDim: values.channels,
    q: qAxes.strides,
    k: keys.strides,
    v: values.strides,
    out: axes('out', outDims, bshd, ragged, heads).strides,
    outDims,
    lse: ragged
      ? { batch: 0, head: 1, row: qAxes.heads }
      : { batch: qAxes.heads * qAxes.rows, head: qAxes.rows, row: 1 },
    lseDims: ragged ? [qAxes.rows, qAxes.heads] : [qAxes.batch, qAxes.heads, qAxes.rows],
    maskBatch: qAxes.batch,
  }
}

function headOptions(
  rank: number,
  ragged: boolean,
  options: AttentionOptions,
): { heads: number; kvHeads: number } {
  for (const name of ['heads', 'kvHeads'] as const) {
    if (options[name] !== undefined && (rank !== 3 || ragged)) {
      const why = ragged
        ? 'a ragged batch names its heads in dims'
        : `rank ${rank} has them in its dims or has one`
      throw wrongValue(name, `no such option (${why})`, options[name])
    }
  }
  const heads = checkInteger('heads', orDefault(options.heads, 1), 1, OPEN)
  return { heads, kvHeads: checkInteger('kvHeads', orDefault(options.kvHeads, heads), 1, OPEN) }
}

/** The layout of tensors of a rank; only those of rank 4 may have another than the default. */
export function readLayout(value: unknown, rank: number, ragged: boolean): 'bhsd' | 'bshd' {
  if (value === undefined) return 'bhsd'
  const layout = checkOneOf('layout', value, ['bhsd', 'bshd'] as const)
  if (rank !== 4)
    throw wrongValue('layout', `no such option beside ${ragged ? 'a ragged batch' : `rank ${rank}`}`, layout)
  return layout
}

/** Sizes and strides of a tensor of rank 2, 3 or 4; `heads` are those of rank 3. */
export function axes(
  name: string,
  dims: readonly number[],
  bshd: boolean,
  ragged: boolean,
  heads: number,
): Axes {
  if (dims.length === 2) {
    const [rows, channels] = dims
    return {
      batch: 1,
      heads: 1,
      rows,
      channels,
      strides: { batch: rows * channels, head: rows * channels, row: channels },
    }
  }
  if (ragged) {
    const [rows, count, channels] = dims
    return {
      batch: 1,
      heads: count,
      rows,
      channels,
      strides: { batch: 0, head: channels, row: count * channels },
    }
  }
  if (dims.length === 3) {
    const [batch, rows, width] = dims
    const channels = width / heads
    if (!Number.isInteger(channels)) {
      const option = name === 'q' || name === 'out' ? 'heads' : 'kvHeads'
      throw wrongValue(`${name}.dims[2]`, `a multiple of ${option} (${heads})`, width)
    }
    return { batch, heads, rows, channels, strides: { batch: rows * width, head: channels, row: width } }
  }
  const [batch, , , channels] = dims
  const [count, rows] = bshd ? [dims[2], dims[1]] : [dims[1], dims[2]]
  const strides = bshd
    ? { batch: rows * count * channels, head: channels, row: count * channels }
    : { batch: rows * count * channels, head: rows * channels, row: channels }
  return { batch, heads: count, rows, channels, strides }
}

function checkTypes(q: Source, k: Source, v: Source): void {
  if (k.type !== v.type)
    throw wrongType('v.type', `${storageName(k.type)}, the type of k`, storageName(v.type))
  if (q.type !== k.type && q.type !== 0) {
    throw wrongType(
      'q.type',
      k.type === 0 ? 'float32, the type of k and v' : `float32, or ${storageName(k.type)} as k and v have`,
      storageName(q.type),
    )
  }
}

function checkQueries(q: Source, { channels, heads }: Axes): void {
  if (channels === 0) throw wrongValue('q.dims', 'a headDim of at least 1', q.dims)
  if (heads === 0) throw wrongValue('q.dims', 'at least 1 head', q.dims)
}

function agree(k: Source, v: Source, qa: Axes, ka: Axes, va: Axes): void {
  if (va.channels === 0) throw wrongValue('v.dims', 'a value headDim of at least 1', v.dims)
  if (ka.channels !== qa.channels) throw wrongValue('k.dims', `headDim ${qa.channels} as q has`, k.dims)
  if (ka.batch !== qa.batch) throw wrongValue('k.dims', `batch ${qa.batch} as q has`, k.dims)
  if (ka.heads === 0 || qa.heads % ka.heads !== 0) {
    throw wrongValue(
      'k.dims',
      `a number of heads that divides the ${qa.heads} of q (found ${ka.heads})`,
      k.dims,
    )
  }
  if (va.batch !== ka.batch) throw wrongValue('v.dims', `batch ${ka.batch} as k has`, v.dims)
  if (va.heads !== ka.heads) throw wrongValue('v.dims', `${ka.heads} heads as k has`, v.dims)
  if (va.rows !== ka.rows) throw wrongValue('v.dims', `${ka.rows} keys as k has`, v.dims)
}

function outputDims(
  dims: readonly number[],
  q: Axes,
  valueDim: number,
  rank: number,
  ragged: boolean,
): number[] {
  const width = rank === 3 && !ragged ? q.heads * valueDim : valueDim
  return [...dims.slice(0, -1), width]
}
