/**
 * Attention as one would first write it in JavaScript: what all the rest is worth.
 * @module
 */
import type { Contender, Work } from '../contender.ts'
import { rangeOfRow, type Sequence, sequencesOf } from '../geometry.ts'

export const plainLoop: Contender = {
  name: 'plain-loop',
  available: async () => undefined,
  versions: async () => ({}),
  prepare: async work => {
    if (work.threads > 1) return 'has no threads'
    if (work.shape.options) return 'knows no option beside causal and lengths'
    const sequences = sequencesOf(work.shape)
    const { heads, valueDim } = work.shape
    const rows = sequences.reduce((sum, { queries }) => sum + queries, 0)
    const output = new Float32Array(rows * heads * valueDim)
    return {
      run() {
        for (const sequence of sequences) {
          for (let head = 0; head < heads; head++) attendHead(work, sequence, head, output)
        }
      },
      output: () => output,
      how: 'three loops',
    }
  },
}

function attendHead({ shape, q, k, v }: Work, sequence: Sequence, head: number, output: Float32Array): void {
  const { heads, kvHeads, headDim, valueDim } = shape
  const kvHead = Math.floor((head * kvHeads) / heads)
  const scale = 1 / Math.sqrt(headDim)
  const weights = new Float64Array(sequence.keys)
  const sums = new Float64Array(valueDim)
  const firstKey = sequence.k.first + kvHead * sequence.k.head
  const firstValue = sequence.v.first + kvHead * sequence.v.head
  for (let i = 0; i < sequence.queries; i++) {
    const query = sequence.q.first + head * sequence.q.head + i * sequence.q.row
    const out = sequence.out.first + head * sequence.out.head + i * sequence.out.row
    const [, keys] = rangeOfRow(shape, sequence, i)
    let highest = Number.NEGATIVE_INFINITY
    for (let j = 0; j < keys; j++) {
      const key = firstKey + j * sequence.k.row
      let score = 0
      for (let c = 0; c < headDim; c++) score += q[query + c] * k[key + c]
      weights[j] = score * scale
      if (weights[j] > highest) highest = weights[j]
    }
    let total = 0
    for (let j = 0; j < keys; j++) {
      weights[j] = Math.exp(weights[j] - highest)
      total += weights[j]
    }
    sums.fill(0)
    for (let j = 0; j < keys; j++) {
      const value = firstValue + j * sequence.v.row
      for (let c = 0; c < valueDim; c++) sums[c] += weights[j] * v[value + c]
    }
    for (let c = 0; c < valueDim; c++) output[out + c] = keys > 0 ? sums[c] / total : 0
  }
}
