/** Masks as ONNX operators take them: [batch or 1, heads or 1, queries, keys]. */
import { addend, addsToScores, keyRange } from '../common/scores.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('./inputs.mjs').Input} Input
 */

/** Added to the scores. @param {string} name @param {Work} work @returns {Input} */
export function floatMask(name, work) {
  const dims = maskDims(work)
  const data = new Float32Array(size(dims))
  fill(work, dims, data, -Infinity, (h, i, j) => addend(work, h, i, j))
  return { name, type: 'float32', data, dims }
}

/** True where attended; only where nothing is added. @param {string} name @param {Work} work @returns {Input} */
export function boolMask(name, work) {
  const dims = maskDims(work)
  const data = new Uint8Array(size(dims))
  fill(work, dims, data, 0, (h, i, j) => Number(addend(work, h, i, j) === 0))
  return { name, type: 'bool', data, dims }
}

/** @param {Work} work */
const maskDims = ({ shape }) => [
  shape.keyLengths ? shape.batch : 1,
  addsToScores(shape) ? shape.heads : 1,
  shape.queries,
  shape.keys,
]

/**
 * @param {Work} work @param {number[]} dims @param {Float32Array | Uint8Array} data
 * @param {number} outside of the range @param {(h: number, i: number, j: number) => number} inside
 */
function fill({ shape }, [batch, heads, queries, keys], data, outside, inside) {
  data.fill(outside)
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < queries; i++) {
        const row = ((b * heads + h) * queries + i) * keys
        const [first, end] = keyRange(shape, b, i)
        for (let j = first; j < end; j++) data[row + j] = inside(h, i, j)
      }
}

/** @param {number[]} dims */
const size = dims => dims.reduce((a, b) => a * b, 1)
