/** Other arrangements of a Work, made before anything is timed. */

/** @typedef {import('../../contender.ts').Work} Work */

/**
 * [batch, left, right, width] -> [batch, right, left, width]: heads first to rows first, and back.
 * @param {Float32Array} source @param {number} batch @param {number} left @param {number} right @param {number} width
 */
export function swapHeadsAndRows(source, batch, left, right, width) {
  const target = new Float32Array(batch * left * right * width)
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < left; i++)
      for (let j = 0; j < right; j++) {
        const from = ((b * left + i) * right + j) * width
        target.set(source.subarray(from, from + width), ((b * right + j) * left + i) * width)
      }
  return target
}

/**
 * Rows [first, last) of every matrix in [matrices, rows, width].
 * @param {Float32Array} source @param {number} matrices @param {number} rows @param {number} width
 * @param {number} first @param {number} last
 */
export function sliceRows(source, matrices, rows, width, first, last) {
  const target = new Float32Array(matrices * (last - first) * width)
  for (let m = 0; m < matrices; m++)
    target.set(
      source.subarray((m * rows + first) * width, (m * rows + last) * width),
      m * (last - first) * width,
    )
  return target
}

/** @param {Float32Array[]} parts */
export function concatenate(parts) {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * The heads of a group as rows of one head: [batch, heads, 1, dim] is [batch, kvHeads, group, dim] in the
 * same memory, so one-row grouped attention becomes a plain one of `group` rows.
 * @param {Work} work @returns {Work | undefined}
 */
export function groupAsRows(work) {
  const { shape } = work
  if (shape.queries !== 1 || shape.kvHeads === shape.heads || shape.causal === 'top-left') return undefined
  const queries = shape.heads / shape.kvHeads
  return { ...work, shape: { ...shape, heads: shape.kvHeads, queries, causal: 'none' } }
}
