/**
 * Self-attention as one would first write it in JavaScript: the measure of what the backends are worth.
 * Numbers of JavaScript are float64, so it also says how far a float32 backend is from the exact result.
 * @module
 */

/** The output for q, k and v of [heads, tokens, headDim]. */
export function plainAttention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  heads: number,
  tokens: number,
  headDim: number,
): Float32Array {
  const output = new Float32Array(q.length)
  const weights = new Float64Array(tokens)
  const sums = new Float64Array(headDim)
  const scale = 1 / Math.sqrt(headDim)
  for (let head = 0; head < heads; head++) {
    const first = head * tokens * headDim
    for (let i = 0; i < tokens; i++) {
      const query = first + i * headDim
      let highest = Number.NEGATIVE_INFINITY
      for (let j = 0; j < tokens; j++) {
        const key = first + j * headDim
        let score = 0
        for (let c = 0; c < headDim; c++) score += q[query + c] * k[key + c]
        weights[j] = score * scale
        if (weights[j] > highest) highest = weights[j]
      }
      let total = 0
      for (let j = 0; j < tokens; j++) {
        weights[j] = Math.exp(weights[j] - highest)
        total += weights[j]
      }
      sums.fill(0)
      for (let j = 0; j < tokens; j++) {
        const value = first + j * headDim
        for (let c = 0; c < headDim; c++) sums[c] += weights[j] * v[value + c]
      }
      for (let c = 0; c < headDim; c++) output[query + c] = sums[c] / total
    }
  }
  return output
}
