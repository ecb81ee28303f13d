/**
 * Attention piece by piece, for those that hold all scores of a head at once: they run out of memory, or
 * (ONNX Runtime in WebAssembly) out of 32-bit integers from 4096 x 4096 scores of 64 channels on.
 */

/** @typedef {import('../../contender.ts').Work} Work */

/** Scores of a piece: 16 MiB. */
const MOST_SCORES = 2 ** 22

/** @param {Work} work */
export const isTooLarge = ({ shape }) => {
  const { batch, heads, queries, keys, causal, keyLengths, cuSeqlens, options } = shape
  const isPlain = causal === 'none' && !keyLengths && !cuSeqlens && !options
  return isPlain && batch * heads * queries * keys >= 4 * MOST_SCORES
}

/**
 * Blocks of query rows of one head each; their outputs one after the other are the output of the whole.
 * @param {Work} work dense, nothing masked @returns {Work[]}
 */
export function blocksOfRows(work) {
  const { shape, q, k, v } = work
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = shape
  const rows = Math.max(1, Math.floor(MOST_SCORES / keys))
  const blocks = []
  for (let h = 0; h < batch * heads; h++) {
    const kv = Math.floor((h * kvHeads) / heads)
    for (let first = 0; first < queries; first += rows) {
      const last = Math.min(first + rows, queries)
      blocks.push({
        ...work,
        shape: { ...shape, batch: 1, heads: 1, kvHeads: 1, queries: last - first },
        q: q.subarray((h * queries + first) * headDim, (h * queries + last) * headDim),
        k: k.subarray(kv * keys * headDim, (kv + 1) * keys * headDim),
        v: v.subarray(kv * keys * valueDim, (kv + 1) * keys * valueDim),
      })
    }
  }
  return blocks
}
