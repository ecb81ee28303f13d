/**
 * What the oracle says of a drawn call, and how far from it a result may be.
 *
 * The contract is twice the error of a naive float32 evaluation plus 1e-6 of the row's scale. Of a hundred thousand
 * calls some have so few numbers that the naive evaluation is right by luck, so two units in the last place of the
 * largest terms that a row's scores are made of are allowed on top; and results below float32's normal range,
 * which kernels may flush to 0.
 * @module
 */
import { halfUlp, numbersOf } from '../../oracle/half.ts'
import { oracle } from '../../oracle/oracle.ts'
import { type Shape, shapeOf } from '../../oracle/shape.ts'
import type { OracleResult } from '../../oracle/types.ts'
import type { FuzzCall } from './build.ts'

const FLOOR = 1e-6
const UNIT = 2 ** -23
const SMALLEST_NORMAL = 2 ** -126

export interface Budgeted {
  exact: ArrayLike<number>
  naive: ArrayLike<number>[]
  /** What errors are relative to, per element. */
  scale: ArrayLike<number>
  /** Largest terms of the scores behind each element. */
  terms: ArrayLike<number>
}

export interface Truth extends OracleResult {
  readonly shape: Shape
  readonly outputTruth: Budgeted
  readonly lseTruth: Budgeted
}

/** The truth, with the budgets of output and lse. */
export function truthOf({ q, k, v, options }: FuzzCall): Truth {
  const result = oracle(q, k, v, options)
  const shape = shapeOf(q, k, v, options)
  const outputTerms = new Float64Array(result.exact.output.length)
  const lseTerms = new Float64Array(result.exact.lse.length)
  const outputScale = new Float64Array(result.exact.output.length)
  const terms = termsOf({ q, k, v, options }, shape, result)
  const values = numbersOf(v)
  eachRow(shape, (b, h, i, row) => {
    const item = shape.items[b]
    const at = b * shape.output.batch + h * shape.output.head + (item.queryFirst + i) * shape.output.row
    outputTerms.fill(terms[row], at, at + shape.valueDim)
    outputScale.fill(valueScale(shape, values, result, b, h, row), at, at + shape.valueDim)
    lseTerms[b * shape.lse.batch + h * shape.lse.head + (item.queryFirst + i) * shape.lse.row] = terms[row]
  })
  const { exact, naive, lseScale } = result
  return {
    ...result,
    shape,
    outputTruth: {
      exact: exact.output,
      naive: naive.map(way => way.output),
      scale: outputScale,
      terms: outputTerms,
    },
    lseTruth: { exact: exact.lse, naive: naive.map(way => way.lse), scale: lseScale, terms: lseTerms },
  }
}

/** Visits every row that a call has, with its number among the rows of the weights. */
export function eachRow(shape: Shape, visit: (b: number, h: number, i: number, row: number) => void): void {
  shape.items.forEach((item, b) => {
    for (let h = 0; h < shape.heads; h++) {
      const plane = (shape.ragged ? 0 : b) * shape.heads + h
      for (let i = 0; i < item.queries; i++) visit(b, h, i, plane * shape.queries + item.queryFirst + i)
    }
  })
}

/** The row's largest sum of w * |v|; channels with NaN, which their own numbers tell, do not count. */
function valueScale(
  shape: Shape,
  values: Float64Array,
  { exact }: OracleResult,
  b: number,
  h: number,
  row: number,
): number {
  const item = shape.items[b]
  const kvHead = Math.floor((h * shape.kvHeads) / shape.heads)
  const sums = new Float64Array(shape.valueDim)
  for (let j = 0; j < item.keys; j++) {
    const weight = exact.weights[row * shape.keys + item.keyFirst + j]
    if (weight === 0) continue
    const at = b * shape.v.batch + kvHead * shape.v.head + (item.keyFirst + j) * shape.v.row
    for (let c = 0; c < shape.valueDim; c++) sums[c] += weight * Math.abs(values[at + c])
  }
  return Math.max(0, ...sums.filter(Number.isFinite))
}

/** Per row: |scale| * |q| * the longest |k| that it attends to, by Cauchy and Schwarz, and the largest score. */
function termsOf({ q, k, options }: FuzzCall, shape: Shape, { exact }: OracleResult): Float64Array {
  const lengths = (data: Float64Array): Float64Array => {
    const rows = new Float64Array(data.length / shape.headDim)
    for (let at = 0; at < data.length; at++) rows[Math.floor(at / shape.headDim)] += data[at] ** 2
    return rows.map(Math.sqrt)
  }
  const [qLengths, kLengths] = [lengths(numbersOf(q)), lengths(numbersOf(k))]
  const scale = Math.abs(options.scale ?? 1 / Math.sqrt(shape.headDim))
  const terms = new Float64Array(exact.lse.length)
  eachRow(shape, (b, h, i, row) => {
    const item = shape.items[b]
    const kvHead = Math.floor((h * shape.kvHeads) / shape.heads)
    const own = (b * shape.q.batch + h * shape.q.head + (item.queryFirst + i) * shape.q.row) / shape.headDim
    let longest = 0
    let largest = 0
    for (let j = 0; j < item.keys; j++) {
      const score = exact.scores.masked[row * shape.keys + item.keyFirst + j]
      if (!Number.isFinite(score)) continue
      const at = b * shape.k.batch + kvHead * shape.k.head + (item.keyFirst + j) * shape.k.row
      longest = Math.max(longest, kLengths[at / shape.headDim])
      largest = Math.max(largest, Math.abs(score))
    }
    terms[row] = longest > 0 ? scale * qLengths[own] * longest + largest : largest
  })
  return terms
}

/** Says what is wrong with `got`, or nothing. */
export function judge(
  label: string,
  got: ArrayLike<number>,
  truth: Budgeted,
  type?: string,
): string | undefined {
  const { exact, naive, scale, terms } = truth
  if (got.length !== exact.length) return `${label}: ${got.length} numbers instead of ${exact.length}`
  let naiveError = 0
  for (let at = 0; at < exact.length; at++) {
    if (!Number.isFinite(exact[at]) || !(scale[at] > 0)) continue
    for (const way of naive) naiveError = Math.max(naiveError, Math.abs(way[at] - exact[at]) / scale[at])
  }
  for (let at = 0; at < exact.length; at++) {
    if (Object.is(got[at], exact[at]) || got[at] === exact[at]) continue
    const error = Math.abs(got[at] - exact[at])
    const relative = 2 * naiveError + FLOOR + 2 * UNIT * terms[at]
    const budget = scale[at] * relative + halfUlp(type, exact[at]) + SMALLEST_NORMAL
    // NaN on one side only fails too.
    if (!(error <= budget)) {
      const figures = `off by ${error.toExponential(2)}, allowed ${budget.toExponential(2)}`
      return `${label}[${at}]: ${got[at]} instead of ${exact[at]}: ${figures}`
    }
  }
  return undefined
}
