/**
 * The parts of a truth that `attentionWeights` shows: weights and scores of all or some rows, and mass.
 * @module
 */
import { oracle } from '../../oracle/oracle.ts'
import type { Evaluation } from '../../oracle/types.ts'
import type { FuzzCall } from './build.ts'
import type { Draft } from './draft.ts'
import { type Budgeted, eachRow, type Truth } from './truth.ts'

export interface Look {
  want: ('weights' | 'scores' | 'mass')[]
  scoresAt?: Draft['scoresAt']
  rows?: Int32Array
}

/** What a draft wants to see, as far as the call can show it. */
export function lookOf(draft: Draft, { options }: FuzzCall, { shape }: Truth): Look {
  const want = [...draft.want]
  const look: Look = { want }
  // Before the masks, unattended keys have scores of their own (spoilt ones too), and other sequences have none.
  const masked = options.cuSeqlens !== undefined || draft.poison !== 'nowhere'
  if (want.includes('scores')) look.scoresAt = masked ? 'masked' : draft.scoresAt
  if (draft.rows && want.length > 0 && options.cuSeqlens === undefined && shape.queries > 0)
    look.rows = Int32Array.from(draft.rows, row => row % shape.queries)
  return look
}

/** [planes, rows, keys] with the selected rows only. */
function select(
  numbers: ArrayLike<number>,
  { queries, keys }: Truth['shape'],
  rows?: Int32Array,
): ArrayLike<number> {
  if (!rows) return numbers
  const planes = queries * keys === 0 ? 0 : numbers.length / (queries * keys)
  const picked = new Float64Array(planes * rows.length * keys)
  for (let at = 0; at < picked.length; at++) {
    const [key, slot] = [at % keys, Math.floor(at / keys) % rows.length]
    const plane = Math.floor(at / keys / rows.length)
    picked[at] = numbers[(plane * queries + rows[slot]) * keys + key]
  }
  return picked
}

/** Weights or scores of a look. Errors of weights are relative to the row's largest, of scores to 1. */
export function matrixTruth(
  truth: Truth,
  name: 'weights' | 'scores',
  { scoresAt = 'masked', rows }: Look,
): Budgeted {
  const { shape, lseTruth, weightsScale } = truth
  const of = (way: Evaluation) => (name === 'weights' ? way.weights : way.scores[scoresAt])
  const terms = new Float64Array(truth.exact.weights.length)
  eachRow(shape, (b, h, i, row) => {
    const at = b * shape.lse.batch + h * shape.lse.head + (shape.items[b].queryFirst + i) * shape.lse.row
    const start = row * shape.keys
    // A row's own keys set its terms; before the masks others count too, and those are no longer than the exact score.
    for (let j = 0; j < shape.keys; j++)
      terms[start + j] = lseTruth.terms[at] + (name === 'scores' ? Math.abs(of(truth.exact)[start + j]) : 0)
  })
  const scale = name === 'weights' ? weightsScale : new Float64Array(terms.length).fill(1)
  return {
    exact: select(of(truth.exact), shape, rows),
    naive: truth.naive.map(way => select(of(way), shape, rows)),
    scale: select(scale, shape, rows),
    terms: select(
      terms.map(x => (Number.isFinite(x) ? x : 0)),
      shape,
      rows,
    ),
  }
}

/** Mass counts the selected rows; each adds the error of its weights. */
export function massTruth({ q, k, v, options }: FuzzCall, truth: Truth, { rows }: Look): Budgeted {
  const { exact, naive } = rows ? oracle(q, k, v, { ...options, rows }) : truth
  const { shape, weightsScale, lseTruth } = truth
  const scale = new Float64Array(exact.mass.length)
  const terms = new Float64Array(exact.mass.length)
  const times = new Float64Array(shape.queries).fill(rows ? 0 : 1)
  for (const row of rows ?? []) times[row]++
  eachRow(shape, (b, h, i, row) => {
    const item = shape.items[b]
    const own = b * shape.lse.batch + h * shape.lse.head + (item.queryFirst + i) * shape.lse.row
    const start = Math.floor(row / shape.queries) * shape.keys
    for (let j = 0; j < shape.keys; j++) {
      // A row with NaN has no scale, and makes NaN of all mass that it adds to.
      scale[start + j] += times[item.queryFirst + i] * (weightsScale[row * shape.keys + j] || 0)
      terms[start + j] = Math.max(terms[start + j], lseTruth.terms[own])
    }
  })
  return { exact: exact.mass, naive: naive.map(way => way.mass), scale, terms }
}
