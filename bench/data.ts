/**
 * The numbers that are attended over: normally distributed, the same in every child.
 * @module
 */
import { fromFloat16, toFloat16 } from '../src/numeric/half.ts'
import type { Shape, Work } from './contender.ts'
import { isKept } from './geometry.ts'

/** Numbers from 0 (included) to 1 (not included), repeated exactly by the same seed. */
export function uniform(seed: number): () => number {
  const next = words(seed)
  return () => next() / 2 ** 32
}

export function workOf(shape: Shape, threads: number): Work {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, cuSeqlens, options = {} } = shape
  const tokens = cuSeqlens?.[cuSeqlens.length - 1]
  const queryRows = tokens ?? batch * queries
  const keyRows = tokens ?? batch * keys
  const draw = (count: number, seed: number): Float32Array => {
    const data = normal(count, seed)
    return options.float16 ? data.map(x => fromFloat16(toFloat16(x))) : data
  }
  return {
    shape,
    q: draw(queryRows * heads * headDim, 1),
    k: draw(keyRows * kvHeads * headDim, 2),
    v: draw(keyRows * kvHeads * valueDim, 3),
    ...(options.bias && { bias: normal(heads * queries * keys, 6) }),
    ...(options.alibi && {
      slopes: Float32Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads)),
    }),
    ...(options.keep && { keep: keepMask(queries, keys) }),
    threads,
  }
}

function keepMask(queries: number, keys: number): Uint8Array {
  const mask = new Uint8Array(queries * keys)
  for (let i = 0; i < queries; i++) {
    for (let j = 0; j < keys; j++) mask[i * keys + j] = Number(isKept(i, j))
  }
  return mask
}

/** A table instead of a logarithm per number: the longest cache has 67 million of them. */
export function normal(count: number, seed: number): Float32Array {
  const table = bellCurve()
  const next = words(seed)
  const data = new Float32Array(count)
  for (let i = 0; i < count; i += 2) {
    const word = next()
    data[i] = table[word & 0xffff]
    if (i + 1 < count) data[i + 1] = table[word >>> 16]
  }
  return data
}

/** 65536 draws from the normal distribution of mean 0 and deviation 1 (Box and Muller). */
function bellCurve(): Float32Array {
  const next = uniform(2017)
  return Float32Array.from(
    { length: 65536 },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  )
}

/** Integers below 2^32: a Weyl sequence through a 32-bit mixer. */
function words(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9)
  return () => {
    state = (state + 0x9e3779b9) | 0
    let x = state
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return (x ^ (x >>> 15)) >>> 0
  }
}
