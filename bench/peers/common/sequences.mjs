/** A batch of different lengths, in the two ways open to a library without ragged batches. */
import { concatenate, sliceRows, swapHeadsAndRows } from './layout.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {{ work: Work, unpack(output: Float32Array): Float32Array }} Padded
 */

/** @param {Work} work */
export const hasLengths = ({ shape }) => Boolean(shape.cuSeqlens ?? shape.keyLengths)

/** @param {Float32Array} source [tokens, heads, width] @param {number} heads @param {number} width @param {number} first @param {number} last */
const sequenceOf = (source, heads, width, first, last) =>
  swapHeadsAndRows(
    source.subarray(first * heads * width, last * heads * width),
    1,
    last - first,
    heads,
    width,
  )

/** Every sequence as a dense batch of one. @param {Work} work @returns {Work[]} */
export function oneByOne(work) {
  const { shape, q, k, v } = work
  const { heads, kvHeads, queries, keys, headDim, valueDim, cuSeqlens } = shape
  const single = { ...shape, batch: 1, cuSeqlens: undefined, keyLengths: undefined }
  if (cuSeqlens)
    return cuSeqlens.slice(1).map((last, s) => {
      const first = cuSeqlens[s]
      return {
        ...work,
        shape: { ...single, queries: last - first, keys: last - first },
        q: sequenceOf(q, heads, headDim, first, last),
        k: sequenceOf(k, kvHeads, headDim, first, last),
        v: sequenceOf(v, kvHeads, valueDim, first, last),
      }
    })
  return Array.from({ length: shape.batch }, (_, b) => {
    const length = shape.keyLengths?.[b] ?? keys
    const head = b * kvHeads * keys
    return {
      ...work,
      shape: { ...single, keys: length },
      q: q.subarray(b * heads * queries * headDim, (b + 1) * heads * queries * headDim),
      k: sliceRows(k.subarray(head * headDim), kvHeads, keys, headDim, 0, length),
      v: sliceRows(v.subarray(head * valueDim), kvHeads, keys, valueDim, 0, length),
    }
  })
}

/** Outputs of `oneByOne` in the order of the work's own output. @param {Work} work @param {Float32Array[]} outputs */
export function joinSequences(work, outputs) {
  const { heads, valueDim, cuSeqlens } = work.shape
  const inOrder = cuSeqlens
    ? outputs.map((output, s) =>
        swapHeadsAndRows(output, 1, heads, cuSeqlens[s + 1] - cuSeqlens[s], valueDim),
      )
    : outputs
  return concatenate(inOrder)
}

/** One dense batch, every sequence filled up with zeros to the longest. @param {Work} work @returns {Padded} */
export function padded(work) {
  const { shape } = work
  const { heads, kvHeads, headDim, valueDim, cuSeqlens } = shape
  if (!cuSeqlens) return { work, unpack: output => output }
  const keyLengths = cuSeqlens.slice(1).map((last, s) => last - cuSeqlens[s])
  const longest = Math.max(...keyLengths)
  const batch = keyLengths.length
  /** @param {Float32Array} source @param {number} count heads @param {number} width */
  const fill = (source, count, width) => {
    const target = new Float32Array(batch * count * longest * width)
    for (let s = 0; s < batch; s++) {
      const rows = sequenceOf(source, count, width, cuSeqlens[s], cuSeqlens[s + 1])
      const size = keyLengths[s] * width
      for (let h = 0; h < count; h++)
        target.set(rows.subarray(h * size, (h + 1) * size), (s * count + h) * longest * width)
    }
    return target
  }
  const causal = shape.causal === 'none' ? 'none' : 'top-left'
  return {
    work: {
      ...work,
      shape: { ...shape, batch, queries: longest, keys: longest, causal, keyLengths, cuSeqlens: undefined },
      q: fill(work.q, heads, headDim),
      k: fill(work.k, kvHeads, headDim),
      v: fill(work.v, kvHeads, valueDim),
    },
    unpack: output => {
      const size = heads * longest * valueDim
      const parts = keyLengths.map((length, s) =>
        sliceRows(output.subarray(s * size, (s + 1) * size), heads, longest, valueDim, 0, length),
      )
      return joinSequences(work, parts)
    },
  }
}
