/**
 * Attention straight from its formula, in float64 and, step by step, in float32.
 * The oracle is slow and independent: it imports nothing from src.
 *
 *   s = scale * (q . k), softcap, + bias, + ALiBi, masks, [sink], softmax, times V
 * @module
 */
import { numbersOf } from './half.ts'
import { type Rules, rulesOf } from './rules.ts'
import { type Shape, type Strides, shapeOf } from './shape.ts'
import type { Evaluation, OracleOptions, OracleResult, OracleTensor } from './types.ts'

/** How the formula is evaluated: its precision, and the order of its sums. */
interface Way {
  /** What a precision does to the result of one operation. */
  round: (x: number) => number
  /** The same formula as others write it: sums from the last term, scaled q, powers of two instead of e. */
  other: boolean
}

const EXACT: Way = { round: x => x, other: false }
const NAIVE: Way[] = [
  { round: Math.fround, other: false },
  { round: Math.fround, other: true },
]

/** exp(score - top). */
function power(score: number, top: number, { round, other }: Way): number {
  if (!other) return round(Math.exp(round(score - top)))
  const log2e = round(Math.LOG2E)
  return round(2 ** round(round(score * log2e) - round(top * log2e)))
}

interface Inputs {
  q: Float64Array
  k: Float64Array
  v: Float64Array
}

export function oracle(
  q: OracleTensor,
  k: OracleTensor,
  v: OracleTensor,
  options: OracleOptions = {},
): OracleResult {
  const shape = shapeOf(q, k, v, options)
  const rules = rulesOf(shape, options)
  const inputs = { q: numbersOf(q), k: numbersOf(k), v: numbersOf(v) }
  const exact = evaluate(inputs, shape, rules, options, EXACT)
  const naive = NAIVE.map(way => evaluate(inputs, shape, rules, options, way))
  return {
    exact,
    naive,
    outputDims: shape.outputDims,
    lseDims: shape.lseDims,
    weightsDims: [weightsBatch(shape), shape.heads, shape.queries, shape.keys],
    ...rowScales(inputs.v, shape, exact),
  }
}

/** A ragged batch shares one plane of query tokens by key tokens. */
function weightsBatch(shape: Shape): number {
  return shape.ragged ? 1 : shape.batch
}

function address(strides: Strides, b: number, head: number, row: number): number {
  return b * strides.batch + head * strides.head + row * strides.row
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1)
}

/** Visits every (item, head, query row): where its weights start, and its key/value head. */
function eachRow(
  shape: Shape,
  visit: (b: number, h: number, i: number, weightsAt: number, kvHead: number) => void,
): void {
  const { heads, kvHeads, queries, keys, items } = shape
  items.forEach((item, b) => {
    const plane = shape.ragged ? 0 : b
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < item.queries; i++) {
        const row = (plane * heads + h) * queries + item.queryFirst + i
        visit(b, h, i, row * keys + item.keyFirst, Math.floor((h * kvHeads) / heads))
      }
    }
  })
}

function evaluate(inputs: Inputs, shape: Shape, rules: Rules, options: OracleOptions, way: Way): Evaluation {
  const { round, other } = way
  const { items, headDim, valueDim, heads, queries, keys } = shape
  const scale = round(options.scale ?? 1 / Math.sqrt(headDim))
  const cap = options.softcap ? round(options.softcap) : 0
  const planes = weightsBatch(shape)
  const size = planes * heads * queries * keys
  const result: Evaluation = {
    output: new Float64Array(sizeOf(shape.outputDims)),
    lse: new Float64Array(sizeOf(shape.lseDims)).fill(Number.NEGATIVE_INFINITY),
    weights: new Float64Array(size),
    scores: {
      scaled: new Float64Array(size),
      capped: new Float64Array(size),
      masked: new Float64Array(size).fill(Number.NEGATIVE_INFINITY),
    },
    mass: new Float64Array(planes * heads * keys),
  }
  const { scaled, capped, masked } = result.scores
  eachRow(shape, (b, h, i, at, kvHead) => {
    const item = items[b]
    const queryRow = item.queryFirst + i
    const qAt = address(shape.q, b, h, queryRow)
    const attended: number[] = []
    let top = Number.NEGATIVE_INFINITY
    for (let j = 0; j < item.keys; j++) {
      const kAt = address(shape.k, b, kvHead, item.keyFirst + j)
      let dot = 0
      for (let step = 0; step < headDim; step++) {
        const c = other ? headDim - 1 - step : step
        const factor = other ? round(scale * inputs.q[qAt + c]) : inputs.q[qAt + c]
        dot = round(dot + round(factor * inputs.k[kAt + c]))
      }
      const raw = other ? dot : round(scale * dot)
      const soft = cap > 0 ? round(cap * round(Math.tanh(round(raw / cap)))) : raw
      scaled[at + j] = raw
      capped[at + j] = soft
      if (!rules.attended(b, h, i, j)) continue
      const biased = round(soft + round(rules.bias(b, h, i, j)))
      const score = round(biased + round(rules.alibi(b, h, i, j)))
      masked[at + j] = score
      attended.push(j)
      top = Math.max(top, score)
    }
    if (attended.length === 0) return
    if (other) attended.reverse()

    let sum = 0
    for (const j of attended) sum = round(sum + power(masked[at + j], top, way))
    result.lse[address(shape.lse, b, h, queryRow)] = round(top + round(Math.log(sum)))

    // The sink is one more logit of the softmax, without a value.
    const sink = options.sinks ? options.sinks[h] : Number.NEGATIVE_INFINITY
    const peak = Math.max(top, sink)
    let denominator = power(sink, peak, way)
    for (const j of attended) denominator = round(denominator + power(masked[at + j], peak, way))
    const oAt = address(shape.output, b, h, queryRow)
    for (const j of attended) {
      const weight = round(power(masked[at + j], peak, way) / denominator)
      result.weights[at + j] = weight
      const vAt = address(shape.v, b, kvHead, item.keyFirst + j)
      for (let c = 0; c < valueDim; c++) {
        result.output[oAt + c] = round(result.output[oAt + c] + round(weight * inputs.v[vAt + c]))
      }
    }
  })
  sumMass(result, shape, options.rows, round)
  return result
}

/** The weight that each key receives, summed over the selected query rows. */
function sumMass(result: Evaluation, shape: Shape, rows: Int32Array | undefined, round: Way['round']): void {
  const { queries, keys } = shape
  const selected = rows ?? Int32Array.from({ length: queries }, (_, i) => i)
  for (let plane = 0; plane < result.mass.length / Math.max(keys, 1); plane++) {
    for (const i of selected) {
      for (let j = 0; j < keys; j++) {
        const at = plane * keys + j
        result.mass[at] = round(result.mass[at] + result.weights[(plane * queries + i) * keys + j])
      }
    }
  }
}

/** How large the numbers are that each row adds up, which is what rounding errors are relative to. */
function rowScales(
  v: Float64Array,
  shape: Shape,
  exact: Evaluation,
): Pick<OracleResult, 'outputScale' | 'lseScale' | 'weightsScale'> {
  const outputScale = new Float64Array(exact.output.length)
  const lseScale = new Float64Array(exact.lse.length).fill(1)
  const weightsScale = new Float64Array(exact.weights.length)
  eachRow(shape, (b, h, i, at, kvHead) => {
    const item = shape.items[b]
    const sums = new Float64Array(shape.valueDim)
    let largest = 0
    let score = 1
    for (let j = 0; j < item.keys; j++) {
      const weight = exact.weights[at + j]
      if (exact.scores.masked[at + j] === Number.NEGATIVE_INFINITY) continue
      largest = Math.max(largest, weight)
      score = Math.max(score, Math.abs(exact.scores.masked[at + j]))
      const vAt = address(shape.v, b, kvHead, item.keyFirst + j)
      for (let c = 0; c < shape.valueDim; c++) sums[c] += weight * Math.abs(v[vAt + c])
    }
    const oAt = address(shape.output, b, h, item.queryFirst + i)
    outputScale.fill(Math.max(0, ...sums), oAt, oAt + shape.valueDim)
    lseScale[address(shape.lse, b, h, item.queryFirst + i)] = score
    weightsScale.fill(largest, at, at + item.keys)
  })
  return { outputScale, lseScale, weightsScale }
}
