/**
 * Tensors as callers give them, read into storage that backends understand.
 * @module
 */
import { checkObject, isDetached, show, tagOf, wrongType, wrongValue } from './check.ts'
import { OPEN, Storage } from './plan.ts'
import type { Tensor, TensorType } from './types.ts'

/** A checked tensor: float32 values, or the bits of a half type. */
export interface Source {
  readonly data: Float32Array | Uint16Array
  readonly dims: readonly number[]
  readonly type: number
}

const TYPES: readonly TensorType[] = ['float32', 'float16', 'bfloat16']

/** Reads `{ data, dims, type? }`; throws by the argument's name when it is no float tensor. */
export function readTensor(argument: string, value: unknown): Source {
  const tensor = checkObject(argument, value, 'a tensor { data, dims, type? }')
  const type = storageType(argument, tensor)
  const dims = checkDims(`${argument}.dims`, tensor.dims)
  const view = tensor.data as Float32Array | Uint16Array
  checkLength(argument, view, product(dims), dims)
  // A Float16Array is the same memory read as bits; kernels know only the bits.
  const data =
    tagOf(view) === 'Float16Array' ? new Uint16Array(view.buffer, view.byteOffset, view.length) : view
  return { data, dims, type }
}

function storageType(argument: string, tensor: Record<string, unknown>): number {
  const tag = tagOf(tensor.data)
  const type = tensor.type
  if (tag !== 'Float32Array' && tag !== 'Uint16Array' && tag !== 'Float16Array') {
    throw wrongType(
      `${argument}.data`,
      'Float32Array, or Uint16Array / Float16Array of half precision',
      tensor.data,
    )
  }
  if (type === undefined) {
    if (tag === 'Float32Array') return Storage.float32
    if (tag === 'Float16Array') return Storage.float16
    throw new TypeError(
      `${argument}.type: expected 'float16' or 'bfloat16' beside a bare Uint16Array, which does not say what its bits mean; got undefined`,
    )
  }
  const fits =
    (type === 'float32' && tag === 'Float32Array') ||
    (type === 'float16' && tag !== 'Float32Array') ||
    (type === 'bfloat16' && tag === 'Uint16Array')
  if (!fits) {
    const expected = TYPES.includes(type as TensorType)
      ? `a type that fits a ${tag}`
      : `one of ${TYPES.map(show).join(', ')}`
    throw wrongType(`${argument}.type`, expected, type)
  }
  return Storage[type as TensorType]
}

/** Dims of rank 1 to 4: integers from 0 up, whose product is an exact number. */
export function checkDims(argument: string, value: unknown): readonly number[] {
  const list = Array.isArray(value) || tagOf(value) === 'Int32Array' ? (value as number[]) : undefined
  if (list === undefined) throw wrongType(argument, 'an array of integers', value)
  if (list.length < 1 || list.length > 4) throw wrongValue(argument, '1 to 4 axes', value)
  for (let i = 0; i < list.length; i++) {
    const size = list[i]
    if (typeof size !== 'number') throw wrongType(`${argument}[${i}]`, 'an integer', size)
    if (!Number.isInteger(size) || size < 0 || size >= OPEN) {
      throw wrongValue(`${argument}[${i}]`, `an integer from 0 to ${OPEN - 1}`, size)
    }
  }
  if (product(list) > Number.MAX_SAFE_INTEGER) throw wrongValue(argument, 'a product below 2^53', value)
  return list
}

/** The data holds exactly what the dims say, and is still there. */
export function checkLength(
  argument: string,
  data: { length: number } & ArrayBufferView,
  length: number,
  dims: readonly number[],
): void {
  if (data.length === length && (length > 0 || !isDetached(data))) return
  if (isDetached(data))
    throw new TypeError(`${argument}.data: expected ${length} elements, got a detached buffer`)
  throw new RangeError(
    `${argument}.data: expected ${length} elements for dims [${dims.join(', ')}], got ${data.length}`,
  )
}

export function product(dims: ArrayLike<number>): number {
  let total = 1
  for (let i = 0; i < dims.length; i++) total *= dims[i]
  return total
}

export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** A new tensor of zeros of a storage type. */
export function newTensor(dims: readonly number[], type: number): Tensor {
  const length = product(dims)
  const data = type === Storage.float32 ? new Float32Array(length) : new Uint16Array(length)
  return { data, dims: [...dims], type: TYPES[type] }
}

/** Whether two views share bytes. */
export function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  )
}
