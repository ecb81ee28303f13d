/**
 * A node of the operator, checked: its attributes, and its tensors with their sizes.
 * @module
 */
import {
  checkEach,
  checkFinite,
  checkInteger,
  checkNames,
  checkObject,
  checkOneOf,
  orDefault,
  tagOf,
  wrongType,
  wrongValue,
} from '../attention/check.ts'
import { OPEN, storageName } from '../attention/plan.ts'
import { readTensor, type Source, sameDims } from '../attention/tensor.ts'
import type { OnnxAttributes, OnnxInputs } from './types.ts'

export interface Sizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  /** Keys of K, without the past. */
  readonly keys: number
  readonly past: number
}

export interface Node {
  readonly rank: number
  readonly sizes: Sizes
  readonly Q: Source
  readonly K: Source
  readonly V: Source
  readonly past: { readonly key: Source; readonly value: Source } | undefined
  /** Valid keys per batch item. */
  readonly nonpad: Int32Array | undefined
  readonly causal: boolean
  readonly left: number
  readonly right: number
  readonly scale: number | undefined
  readonly softcap: number
  readonly mode: 0 | 1 | 2 | 3
}

const INPUTS = [
  'Q',
  'K',
  'V',
  'attn_mask',
  'past_key',
  'past_value',
  'nonpad_kv_seqlen',
] as const satisfies readonly (keyof OnnxInputs)[]

const ATTRIBUTES = [
  'is_causal',
  'scale',
  'softcap',
  'q_num_heads',
  'kv_num_heads',
  'softmax_precision',
  'qk_matmul_output_mode',
] as const satisfies readonly (keyof OnnxAttributes)[]

const INPUT_NAMES: ReadonlySet<string> = new Set(INPUTS)
const ATTRIBUTE_NAMES: ReadonlySet<string> = new Set(ATTRIBUTES)
const WINDOW_NAMES = ['left_window_size', 'right_window_size'] as const
const ATTRIBUTE_NAMES_25: ReadonlySet<string> = new Set([...ATTRIBUTES, ...WINDOW_NAMES])

/** TensorProto.DataType of the types that softmax_precision may name. */
const DOUBLE = 11
const PRECISIONS = [undefined, 1, 10, DOUBLE, 16]

/** Reads inputs and attributes by the rules of an opset; nothing is computed. */
export function readNode(
  inputsIn: unknown,
  attributesIn: unknown,
  opset: number,
  takesDouble: boolean,
): Node {
  const inputs = checkObject('inputs', inputsIn, 'an object { Q, K, V, ... }')
  checkNames('inputs', inputs, INPUT_NAMES)
  const attributes = checkObject('attributes', attributesIn, 'an object of attributes')
  checkNames('attributes', attributes, opset < 25 ? ATTRIBUTE_NAMES : ATTRIBUTE_NAMES_25)
  checkPrecision(attributes.softmax_precision, takesDouble)

  const Q = readTensor('Q', inputs.Q)
  const K = readTensor('K', inputs.K)
  const V = readTensor('V', inputs.V)
  const rank = Q.dims.length
  const sizes = readSizes(Q, K, V, attributes, opset)
  const past = readPast(inputs, K, V, sizes)
  const scale = attributes.scale === undefined ? undefined : checkFinite('scale', attributes.scale)
  if (scale !== undefined && scale < 0)
    throw wrongValue('scale', 'a number from 0 up (the operator takes its square root)', scale)
  const softcap = checkFinite('softcap', orDefault(attributes.softcap, 0))
  if (softcap < 0) throw wrongValue('softcap', 'a number from 0 up (0 is off)', softcap)
  const window = (name: (typeof WINDOW_NAMES)[number]) =>
    checkInteger(name, orDefault(attributes[name], -1), -1, OPEN)
  return {
    rank,
    sizes: { ...sizes, past: past?.key.dims[2] ?? 0 },
    Q,
    K,
    V,
    past,
    nonpad: readNonpad(inputs, sizes, opset),
    causal: Boolean(checkOneOf('is_causal', orDefault(attributes.is_causal, 0), [0, 1, false, true])),
    left: window('left_window_size'),
    right: window('right_window_size'),
    scale,
    softcap,
    mode: checkOneOf('qk_matmul_output_mode', orDefault(attributes.qk_matmul_output_mode, 0), [0, 1, 2, 3]),
  }
}

function checkPrecision(value: unknown, takesDouble: boolean): void {
  if (checkOneOf('softmax_precision', value, PRECISIONS) === DOUBLE && !takesDouble) {
    const expected =
      "1 (FLOAT), 10 (FLOAT16) or 16 (BFLOAT16), which float32 meets; doubleSoftmax: 'float32' takes DOUBLE in float32"
    throw wrongValue('softmax_precision', expected, value)
  }
}

function readSizes(
  Q: Source,
  K: Source,
  V: Source,
  attributes: Record<string, unknown>,
  opset: number,
): Sizes {
  const rank = Q.dims.length
  if (rank !== 3 && rank !== 4) throw wrongValue('Q.dims', 'rank 3 or 4', Q.dims)
  for (const [name, { dims, type }] of Object.entries({ K, V })) {
    if (dims.length !== rank) throw wrongValue(`${name}.dims`, `rank ${rank} as Q has`, dims)
    if (type !== Q.type) {
      const expected = `${storageName(Q.type)} as Q has (mixed types are not supported)`
      throw wrongType(`${name}.type`, expected, storageName(type))
    }
  }
  const heads = readHeads('q_num_heads', attributes, 'Q', Q, opset)
  const kvHeads = readHeads('kv_num_heads', attributes, 'K', K, opset)
  if (heads % kvHeads !== 0) {
    const [name, found] = rank === 3 ? ['kv_num_heads', kvHeads] : ['K.dims[1]', kvHeads]
    throw wrongValue(name, `a number of heads that divides the ${heads} of Q`, found)
  }
  readHeads('kv_num_heads', attributes, 'V', V, opset)
  const [batch, queries, keys] = rank === 3 ? [0, 1, 1] : [0, 2, 2]
  const agree = (name: string, source: Source, axis: number, size: number, what: string) => {
    if (source.dims[axis] !== size) throw wrongValue(`${name}.dims[${axis}]`, what, source.dims[axis])
  }
  agree('K', K, batch, Q.dims[batch], `batch ${Q.dims[batch]} as Q has`)
  agree('V', V, batch, Q.dims[batch], `batch ${Q.dims[batch]} as Q has`)
  agree('V', V, keys, K.dims[keys], `${K.dims[keys]} keys as K has`)
  if (rank === 4) agree('V', V, 1, kvHeads, `${kvHeads} heads as K has`)
  const width = Q.dims[rank - 1] / (rank === 3 ? heads : 1)
  if (width === 0) throw wrongValue('Q.dims', 'a headDim of at least 1', Q.dims)
  if (V.dims[rank - 1] === 0) throw wrongValue('V.dims', 'a value headDim of at least 1', V.dims)
  const keyWidth = width * (rank === 3 ? kvHeads : 1)
  agree('K', K, rank - 1, keyWidth, `${keyWidth}, for headDim ${width} as Q has`)
  return { batch: Q.dims[batch], heads, kvHeads, queries: Q.dims[queries], keys: K.dims[keys], past: 0 }
}

/** Heads of a tensor: of its dims with rank 4, of the attribute with rank 3. */
function readHeads(
  attribute: 'q_num_heads' | 'kv_num_heads',
  attributes: Record<string, unknown>,
  name: string,
  { dims }: Source,
  opset: number,
): number {
  const value = attributes[attribute]
  if (dims.length === 4) {
    if (dims[1] === 0) throw wrongValue(`${name}.dims[1]`, 'at least 1 head', 0)
    if (value === undefined) return dims[1]
    if (opset >= 25) throw wrongValue(attribute, 'no such attribute beside rank 4 from opset 25 on', value)
    if (value !== dims[1]) throw wrongValue(attribute, `${dims[1]}, the heads of ${name}`, value)
    return dims[1]
  }
  if (value === undefined)
    throw wrongType(attribute, `the heads of ${name}, which rank 3 does not show`, value)
  const heads = checkInteger(attribute, value, 1, OPEN)
  if (dims[2] % heads !== 0)
    throw wrongValue(`${name}.dims[2]`, `a multiple of ${attribute} (${heads})`, dims[2])
  return heads
}

function readPast(inputs: Record<string, unknown>, K: Source, V: Source, sizes: Sizes): Node['past'] {
  const { past_key, past_value } = inputs
  if (past_key === undefined && past_value === undefined) return undefined
  for (const [name, other] of [
    ['past_key', 'past_value'],
    ['past_value', 'past_key'],
  ] as const) {
    if (inputs[name] === undefined) throw wrongType(name, `a tensor, as there is a ${other}`, undefined)
  }
  if (inputs.nonpad_kv_seqlen !== undefined) {
    const expected = 'no such input beside past_key and past_value, which hold no padding'
    throw wrongValue('nonpad_kv_seqlen', expected, inputs.nonpad_kv_seqlen)
  }
  const key = readTensor('past_key', past_key)
  const value = readTensor('past_value', past_value)
  checkPast('past_key', key, K, sizes, key.dims[2])
  checkPast('past_value', value, V, sizes, key.dims[2])
  return { key, value }
}

function checkPast(name: string, past: Source, fresh: Source, sizes: Sizes, rows: number): void {
  if (past.type !== fresh.type)
    throw wrongType(`${name}.type`, `${storageName(fresh.type)} as the new ones have`, storageName(past.type))
  const last = fresh.dims[fresh.dims.length - 1]
  const channels = fresh.dims.length === 3 ? last / sizes.kvHeads : last
  const fits = [sizes.batch, sizes.kvHeads, rows, channels]
  if (!sameDims(past.dims, fits)) {
    const shown = [sizes.batch, sizes.kvHeads, rows ?? 'past', channels].join(', ')
    throw wrongValue(`${name}.dims`, `[${shown}]`, past.dims)
  }
}

function readNonpad(
  inputs: Record<string, unknown>,
  { batch, keys }: Sizes,
  opset: number,
): Int32Array | undefined {
  const value = inputs.nonpad_kv_seqlen
  if (value === undefined) return undefined
  if (opset < 24) throw wrongValue('nonpad_kv_seqlen', 'no such input before opset 24', value)
  const tensor = checkObject('nonpad_kv_seqlen', value, 'a tensor { data, dims } of integers')
  const tag = tagOf(tensor.data)
  if (tag !== 'BigInt64Array' && tag !== 'Int32Array')
    throw wrongType('nonpad_kv_seqlen.data', 'BigInt64Array or Int32Array', tensor.data)
  const lengths = Int32Array.from(tensor.data as Int32Array | BigInt64Array as Iterable<number>, Number)
  if (!Array.isArray(tensor.dims) || !sameDims(tensor.dims, [batch]) || lengths.length !== batch)
    throw wrongValue('nonpad_kv_seqlen.dims', `[${batch}], one length per batch item`, tensor.dims)
  checkEach('nonpad_kv_seqlen', lengths, 0, keys)
  return lengths
}
