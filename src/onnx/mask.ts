/**
 * attn_mask, as `keep` or `bias`.
 * @module
 */
import { checkObject, tagOf, wrongType, wrongValue } from '../attention/check.ts'
import { Storage, storageName } from '../attention/plan.ts'
import { checkDims, checkLength, product, readTensor } from '../attention/tensor.ts'
import type { AttentionOptions } from '../attention/types.ts'

/** -Infinity in each storage type. */
const LOWEST = {
  [Storage.float32]: Number.NEGATIVE_INFINITY,
  [Storage.float16]: 0xfc00,
  [Storage.bfloat16]: 0xff80,
}

/**
 * Reads a mask that broadcasts to `full`, [batch, heads, queries, keys], and whose last axis may end before the keys do.
 * @param least the keys that it must reach
 */
export function readMask(
  value: unknown,
  full: readonly number[],
  least: number,
): Pick<AttentionOptions, 'keep' | 'bias'> {
  if (value === undefined) return {}
  const tensor = checkObject('attn_mask', value, 'a boolean or float tensor { data, dims, type? }')
  if (tagOf(tensor.data) !== 'Uint8Array') {
    const { data, dims, type } = readTensor('attn_mask', value)
    checkSpread(dims, full, least)
    const padded = pad(data, dims, full[3], LOWEST[type as 0 | 1 | 2])
    return { bias: { ...padded, type: storageName(type) } }
  }
  if (tensor.type !== undefined && tensor.type !== 'bool')
    throw wrongType('attn_mask.type', "'bool' or a float type (integers are no mask here)", tensor.type)
  const data = tensor.data as Uint8Array
  const dims = checkDims('attn_mask.dims', tensor.dims)
  checkLength('attn_mask', data, product(dims), dims)
  checkSpread(dims, full, least)
  return { keep: pad(data, dims, full[3], 0) }
}

function checkSpread(dims: readonly number[], full: readonly number[], least: number): void {
  const shift = full.length - dims.length
  for (let axis = 0; axis < dims.length - 1; axis++) {
    if (dims[axis] !== 1 && dims[axis] !== full[axis + shift]) {
      const expected = `1 or ${full[axis + shift]}, to broadcast to [${full.join(', ')}]`
      throw wrongValue(`attn_mask.dims[${axis}]`, expected, dims[axis])
    }
  }
  const last = dims.length - 1
  if (dims[last] < least || dims[last] > full[3]) {
    throw wrongValue(`attn_mask.dims[${last}]`, `from ${least} to ${full[3]} keys`, dims[last])
  }
}

type MaskData = Float32Array | Uint16Array | Uint8Array

/** Lengthens every row of keys with a filler. */
function pad<Data extends MaskData>(
  data: Data,
  dims: readonly number[],
  keys: number,
  filler: number,
): { data: Data; dims: readonly number[] } {
  const given = dims[dims.length - 1]
  if (given === keys) return { data, dims }
  const rows = product(dims.slice(0, -1))
  const padded = new (data.constructor as new (length: number) => Data)(rows * keys).fill(filler) as Data
  for (let row = 0; row < rows; row++) padded.set(data.subarray(row * given, (row + 1) * given), row * keys)
  return { data: padded, dims: [...dims.slice(0, -1), keys] }
}
