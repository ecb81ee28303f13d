/** Which scores there are and what is added to them: causality, lengths, and the options of a shape. */

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('../../contender.ts').Shape} Shape
 */

/** The keys [first, end) that row i of sequence b may attend to. @param {Shape} shape @param {number} b @param {number} i */
export function keyRange({ causal, keys, queries, keyLengths, options }, b, i) {
  const length = keyLengths?.[b] ?? keys
  const position = causal === 'bottom-right' ? length - queries + i : i
  const { left, right } = options?.window ?? { left: Infinity, right: Infinity }
  const ahead = causal === 'none' ? right : Math.min(right, 0)
  const end = Math.max(0, Math.min(length, position + ahead + 1))
  return [Math.min(end, Math.max(0, position - left)), end]
}

/** Whether something is added to single scores. @param {Shape} shape */
export const addsToScores = ({ options }) => Boolean(options?.bias || options?.alibi)

/** What is added to the score of row i and key j inside the range; -Infinity leaves it out. @param {Work} work @param {number} h @param {number} i @param {number} j */
export function addend({ shape, bias, slopes, keep }, h, i, j) {
  const { queries, keys } = shape
  if (keep && keep[i * keys + j] === 0) return -Infinity
  return (bias ? bias[(h * queries + i) * keys + j] : 0) - (slopes ? slopes[h] * Math.abs(i - j) : 0)
}

/**
 * Whether every row attends every key of its sequence and nothing is added, as in plain attention and for
 * the only row of a decoding step. @param {Shape} shape
 */
export const attendsAll = shape =>
  (shape.causal === 'none' || (shape.causal === 'bottom-right' && shape.queries === 1)) && isBare(shape)

/** Query rows and keys end together, so that both kinds of causal are one, and nothing is added. @param {Shape} shape */
export const isSquareCausal = shape => isCausalSquare(shape) && isBare(shape)

/** The same, whatever else there is. @param {Shape} shape */
export const isCausalSquare = shape =>
  !shape.keyLengths && shape.causal !== 'none' && shape.queries === shape.keys

/** No option that takes a mask. @param {Shape} shape */
const isBare = ({ options }) => !(options?.window || options?.bias || options?.alibi || options?.keep)
