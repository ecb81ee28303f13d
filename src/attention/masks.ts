/**
 * Everything that touches scores one by one: keep, drop, bias, ALiBi, softcap, sinks.
 * Masks broadcast in place by strides of 0; nothing is ever expanded.
 * @module
 */
import { checkArray, checkFinite, checkNames, checkObject, tagOf, wrongType, wrongValue } from './check.ts'
import { Feature } from './plan.ts'
import type { Shape } from './shape.ts'
import { checkDims, checkLength, product, readTensor } from './tensor.ts'
import type { AttentionOptions } from './types.ts'

/** A mask or bias with its strides over [batch, heads, query rows, keys]. */
export interface Spread<Data> {
  readonly data: Data | undefined
  readonly batch: number
  readonly head: number
  readonly row: number
  readonly key: number
  /** 1 where rows of keys are bit-packed; then `row` counts words. */
  readonly bits: number
  readonly type: number
}

export interface Scores {
  readonly softcap: number
  readonly keep: Spread<Uint8Array | Uint32Array>
  readonly drop: Spread<Uint8Array | Uint32Array>
  readonly bias: Spread<Float32Array | Uint16Array>
  readonly alibi: Float32Array | undefined
  readonly sinks: Float32Array | undefined
  readonly features: number
}

const ABSENT = { data: undefined, batch: 0, head: 0, row: 0, key: 0, bits: 0, type: 0 } as const

/** Reads the options that change single scores. */
export function readScores(shape: Shape, options: AttentionOptions): Scores {
  const softcap = readSoftcap(options.softcap)
  const keep = readMask('keep', options.keep, shape)
  const drop = readMask('drop', options.drop, shape)
  const bias = readBias(options.bias, shape)
  const alibi = readAlibi(options.alibi, shape.heads)
  const sinks =
    options.sinks === undefined
      ? undefined
      : checkArray('sinks', options.sinks, 'Float32Array', shape.heads, 'query head')
  const features =
    (softcap > 0 ? Feature.softcap : 0) |
    (keep.data ? Feature.keep : 0) |
    (drop.data ? Feature.drop : 0) |
    (bias.data ? Feature.bias : 0) |
    (alibi ? Feature.alibi : 0) |
    (sinks ? Feature.sinks : 0)
  return { softcap, keep, drop, bias, alibi, sinks, features }
}

function readSoftcap(value: unknown): number {
  if (value === undefined) return 0
  const softcap = checkFinite('softcap', value)
  if (softcap < 0) throw wrongValue('softcap', 'a number from 0 up (0 is off)', softcap)
  return softcap
}

const MASK_NAMES: ReadonlySet<string> = new Set(['data', 'dims', 'bits'])

function readMask(argument: 'keep' | 'drop', value: unknown, shape: Shape): Spread<Uint8Array | Uint32Array> {
  if (value === undefined) return ABSENT
  const mask = checkObject(argument, value, 'a mask { data, dims, bits? }')
  // Tensors of other libraries bring more properties; plain objects with a misspelt `bits` must not pass.
  if (Object.getPrototypeOf(mask) === Object.prototype && !('type' in mask))
    checkNames(argument, mask, MASK_NAMES)
  const dims = checkDims(`${argument}.dims`, mask.dims)
  const bits = mask.bits === undefined ? false : mask.bits
  if (typeof bits !== 'boolean') throw wrongType(`${argument}.bits`, 'a boolean', bits)
  const kind = bits ? 'Uint32Array' : 'Uint8Array'
  if (tagOf(mask.data) !== kind) {
    throw wrongType(
      `${argument}.data`,
      bits ? 'Uint32Array beside bits: true' : 'Uint8Array (or Uint32Array with bits: true)',
      mask.data,
    )
  }
  const data = mask.data as Uint8Array | Uint32Array
  const keys = dims[dims.length - 1]
  const stored = bits ? [...dims.slice(0, -1), Math.ceil(keys / 32)] : dims
  checkLength(argument, data, product(stored), dims)
  return { data, ...spread(`${argument}.dims`, dims, stored, shape), bits: bits ? 1 : 0, type: 0 }
}

function readBias(value: unknown, shape: Shape): Spread<Float32Array | Uint16Array> {
  if (value === undefined) return ABSENT
  const bias = readTensor('bias', value)
  return { data: bias.data, ...spread('bias.dims', bias.dims, bias.dims, shape), bits: 0, type: bias.type }
}

/** Strides of logical dims held as `stored` dims, 0 along broadcast axes. */
function spread(
  argument: string,
  dims: readonly number[],
  stored: readonly number[],
  shape: Shape,
): Record<'batch' | 'head' | 'row' | 'key', number> {
  const full = [shape.maskBatch, shape.heads, shape.queries, shape.keys]
  const names = ['batch', 'heads', 'query rows', 'keys']
  const strides = [0, 0, 0, 0]
  let stride = 1
  for (let axis = 3, from = dims.length - 1; from >= 0; axis--, from--) {
    if (dims[from] !== full[axis] && (axis === 3 || dims[from] !== 1)) {
      const expected = `${axis === 3 ? full[axis] : `1 or ${full[axis]}`} along ${names[axis]}, to broadcast to [${full.join(', ')}]`
      throw wrongValue(`${argument}[${from}]`, expected, dims[from])
    }
    strides[axis] = dims[from] === 1 && axis !== 3 ? 0 : stride
    stride *= stored[from]
  }
  const [batch, head, row, key] = strides
  return { batch, head, row, key }
}

function readAlibi(value: unknown, heads: number): Float32Array | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return alibiSlopes(heads)
  if (tagOf(value) !== 'Float32Array')
    throw wrongType('alibi', 'true or a Float32Array of slopes, one per query head', value)
  return checkArray('alibi', value, 'Float32Array', heads, 'query head')
}

/**
 * The slopes of ALiBi (Press, Smith and Lewis, 2022). Where the number of heads is no power of two, the heads beyond
 * the largest one take every other slope of the next larger set.
 */
export function alibiSlopes(heads: number): Float32Array {
  const base = 2 ** Math.floor(Math.log2(heads))
  return Float32Array.from({ length: heads }, (_, h) =>
    h < base ? 2 ** ((-8 * (h + 1)) / base) : 2 ** ((-4 * (2 * (h - base) + 1)) / base),
  )
}
