/**
 * The work as a call of this package: its tensors, its options, and where the output goes.
 * @module
 */
import type { Attention, AttentionOptions, KvCache, Tensor } from '../../src/index.ts'
import { fromFloat16, toFloat16 } from '../../src/numeric/half.ts'
import type { Shape, Work } from '../contender.ts'

export interface Call {
  q: Tensor
  k: Tensor
  v: Tensor
  out: Tensor
  options: AttentionOptions
}

/** Keys and values in a cache, where the shape has one. */
export function cacheOf(api: Attention, { shape }: Work, { k, v }: Call): KvCache | undefined {
  const { batch, kvHeads, headDim, valueDim, keys, keyLengths, cache: type } = shape
  if (type === undefined) return undefined
  const cache = new api.KvCache({ batch, kvHeads, headDim, valueDim, type, capacity: keys })
  cache.append(k, v, keyLengths && { lengths: Int32Array.from(keyLengths) })
  return cache
}

export function callOf(work: Work): Call {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, cuSeqlens } = work.shape
  const half = work.shape.options?.float16 === true
  const tokens = cuSeqlens?.[cuSeqlens.length - 1]
  const dims = (count: number, rows: number, dim: number): number[] =>
    tokens === undefined ? [batch, count, rows, dim] : [tokens, count, dim]
  const outDims = dims(heads, queries, valueDim)
  const length = outDims.reduce((product, dim) => product * dim, 1)
  return {
    q: tensor(work.q, dims(heads, queries, headDim), half),
    k: tensor(work.k, dims(kvHeads, keys, headDim), half),
    v: tensor(work.v, dims(kvHeads, keys, valueDim), half),
    out: tensor(new Float32Array(length), outDims, half),
    options: { ...placesOf(work.shape), ...optionsOf(work) },
  }
}

/** What a tensor holds, whatever it is kept in. */
export function floatsOf({ data }: Tensor): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data, fromFloat16)
}

function tensor(data: Float32Array, dims: number[], half: boolean): Tensor {
  return half ? { data: Uint16Array.from(data, toFloat16), dims, type: 'float16' } : { data, dims }
}

/** Which keys a row may attend to by where it stands. */
function placesOf({ causal, cache, keyLengths, cuSeqlens, options }: Shape): AttentionOptions {
  const first = cuSeqlens && Int32Array.from(cuSeqlens)
  return {
    ...(causal !== 'none' && { causal }),
    ...(keyLengths && !cache && { keyLengths: Int32Array.from(keyLengths) }),
    ...(first && { cuSeqlens: { q: first, k: first } }),
    ...(options?.window && { window: options.window }),
  }
}

function optionsOf({ shape, bias, slopes, keep }: Work): AttentionOptions {
  const { heads, queries, keys, options } = shape
  return {
    ...(options?.precision && { precision: options.precision }),
    ...(options?.softcap && { softcap: options.softcap }),
    ...(bias && { bias: { data: bias, dims: [heads, queries, keys] } }),
    ...(slopes && { alibi: slopes }),
    ...(keep && { keep: { data: keep, dims: [queries, keys] } }),
  }
}
