/** Rows of the answer in f64, enough to tell a wrong way from a right one before the best is chosen. */
import { addend, keyRange } from './scores.mjs'

/** @typedef {import('../../contender.ts').Work} Work */

/** A way of another meaning is off by the size of the values, one of less precision by far less than this. */
const WRONG = 1e-3
/** In float16 numbers above 2 are rounded by up to 1e-3. */
const WRONG_FLOAT16 = 4e-3
const SAMPLED_ROWS = 24

/** @param {Work} work @param {number} b @param {number} h @param {number} i sequence, query head, query row */
function exactRow(work, b, h, i) {
  const { shape, q, k, v } = work
  const { heads, kvHeads, headDim, valueDim, cuSeqlens } = shape
  const kv = Math.floor((h * kvHeads) / heads)
  const first = cuSeqlens?.[b] ?? 0
  const length = cuSeqlens ? cuSeqlens[b + 1] - first : shape.keys
  const rows = cuSeqlens ? length : shape.queries
  const [start, end] = keyRange({ ...shape, queries: rows, keys: length }, b, i)
  /** @param {number} j */
  const keyRow = j => (cuSeqlens ? (first + j) * kvHeads + kv : (b * kvHeads + kv) * shape.keys + j)
  const outRow = cuSeqlens ? (first + i) * heads + h : (b * heads + h) * shape.queries + i
  const { softcap } = shape.options ?? {}
  const scores = new Float64Array(end - start)
  for (let j = start; j < end; j++) {
    let dot = 0
    for (let c = 0; c < headDim; c++) dot += q[outRow * headDim + c] * k[keyRow(j) * headDim + c]
    const score = dot / Math.sqrt(headDim)
    scores[j - start] = (softcap ? softcap * Math.tanh(score / softcap) : score) + addend(work, h, i, j)
  }
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const weights = scores.map(score => Math.exp(score - top))
  const sum = weights.reduce((a, b) => a + b, 0)
  const row = new Float64Array(valueDim)
  for (let j = start; j < end; j++)
    for (let c = 0; c < valueDim; c++) row[c] += (weights[j - start] / sum) * v[keyRow(j) * valueDim + c]
  return { row, at: outRow * valueDim }
}

/**
 * Largest error over rows spread through the whole output, first and last row of a sequence among them.
 * @param {Work} work @param {Float32Array} output
 */
export function sampledError(work, output) {
  const { shape } = work
  const { batch, heads, cuSeqlens } = shape
  const sequences = cuSeqlens ? cuSeqlens.length - 1 : batch
  let worst = 0
  for (let s = 0; s < SAMPLED_ROWS; s++) {
    const b = Math.floor((s / SAMPLED_ROWS) * sequences)
    const rows = cuSeqlens ? cuSeqlens[b + 1] - cuSeqlens[b] : shape.queries
    const h = (s * 5) % heads
    const i = s % 3 === 0 ? 0 : s % 3 === 1 ? rows - 1 : (s * 131) % rows
    const { row, at } = exactRow(work, b, h, i)
    row.forEach((value, c) => {
      const error = Math.abs(output[at + c] - value)
      worst = error <= worst ? worst : error
    })
  }
  return worst
}

/** @param {Work} work @param {Float32Array} output @returns {string | undefined} why it is wrong */
export function wrongness(work, output) {
  const error = sampledError(work, output)
  const allowed = work.shape.options?.float16 ? WRONG_FLOAT16 : WRONG
  return error <= allowed ? undefined : `wrong by ${error}`
}
