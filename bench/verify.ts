/**
 * How far a result is from attention in float64, before anyone looks at its time.
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { CallOptions, Shape, Work } from './contender.ts'
import { uniform } from './data.ts'
import { rangeOfRow, type Sequence, sequencesOf } from './geometry.ts'

/** Multiplications the oracle may spend on a shape: half a second. Larger shapes are sampled by rows. */
const BUDGET = 2 ** 29

interface Bound {
  maxAbs: number
  relL2: number
}

/** float32 rounding gives some 1e-7; a wrong mask, head or length gives 0.01 and more. */
export const BOUND: Bound = { maxAbs: 1e-5, relL2: 1e-5 }
/** An output in float16 is rounded to 11 bits: by up to 1e-3 where it is above 2. */
const BOUND_FLOAT16: Bound = { maxAbs: 2e-3, relL2: 5e-4 }
/** What the package promises of each precision; the largest error of millions is some ten times as much. */
const BOUNDS_LOW: Record<NonNullable<CallOptions['precision']>, Bound> = {
  int16: { maxAbs: 1e-2, relL2: 5e-4 },
  bfloat16: { maxAbs: 0.1, relL2: 6e-3 },
  int8: { maxAbs: 0.3, relL2: 2e-2 },
}
/** Keys and values rounded to 11 bits, or to 255 steps of the largest number of a row. */
const BOUNDS_CACHE: Record<'float16' | 'int8', Bound> = {
  float16: { maxAbs: 2e-3, relL2: 1e-3 },
  int8: { maxAbs: 2e-2, relL2: 2e-2 },
}

export interface Verdict {
  maxAbs: number
  /** |output - exact| / |exact|, over the rows looked at. */
  relL2: number
  /** Rows compared, of all there are. */
  rows: number
  allRows: number
  /** Undefined where the result is right. */
  wrong?: string
}

interface Row {
  sequence: Sequence
  head: number
  i: number
}

/** Compares an output with the oracle, whose rows are kept in the file `cache` where one is named. */
export function verify(work: Work, output: Float32Array, cache?: string): Verdict {
  const { shape } = work
  const { rows, allRows } = rowsToCheck(shape)
  const size = work.shape.valueDim
  const all = sequencesOf(shape).reduce((sum, { queries }) => sum + queries * shape.heads * size, 0)
  if (output.length !== all) {
    return { ...NOTHING, allRows, wrong: `${output.length} numbers instead of ${all}` }
  }
  const exact = oracle(work, rows, cache)
  const found = new Float64Array(exact.length)
  rows.forEach(({ sequence: { out }, head, i }, r) => {
    const at = out.first + head * out.head + i * out.row
    found.set(output.subarray(at, at + size), r * size)
  })
  const bound = boundOf(shape)
  const compared = { ...compare(found, exact, bound), rows: rows.length, allRows }
  // Rows outside the sample at least must be numbers.
  return { ...compared, wrong: compared.wrong ?? notFinite(output) }
}

function boundOf({ options, cache }: Shape): Bound {
  if (cache === 'float16' || cache === 'int8') return BOUNDS_CACHE[cache]
  if (options?.precision) return BOUNDS_LOW[options.precision]
  return options?.float16 ? BOUND_FLOAT16 : BOUND
}

const NOTHING = { maxAbs: Number.NaN, relL2: Number.NaN, rows: 0, allRows: 0 }

export function compare(
  found: ArrayLike<number>,
  exact: Float64Array,
  bound: Bound = BOUND,
): Pick<Verdict, 'maxAbs' | 'relL2' | 'wrong'> {
  if (found.length !== exact.length)
    return { ...NOTHING, wrong: `${found.length} numbers instead of ${exact.length}` }
  let maxAbs = 0
  let off = 0
  let size = 0
  for (let i = 0; i < exact.length; i++) {
    const difference = Math.abs(found[i] - exact[i])
    // Written so that NaN becomes the result and stays it.
    if (!(difference <= maxAbs)) maxAbs = difference > maxAbs ? difference : Number.NaN
    off += difference * difference
    size += exact[i] * exact[i]
  }
  const relL2 = off === 0 ? 0 : Math.sqrt(off / size)
  const right = maxAbs <= bound.maxAbs && relL2 <= bound.relL2
  return {
    maxAbs,
    relL2,
    ...(!right && { wrong: `max abs ${maxAbs.toExponential(1)}, rel L2 ${relL2.toExponential(1)}` }),
  }
}

function notFinite(output: Float32Array): string | undefined {
  const at = output.findIndex(number => !Number.isFinite(number))
  return at < 0 ? undefined : `${output[at]} at ${at}`
}

/** All rows, or as many of a seeded draw as the budget allows, the ends of the heads among them. */
export function rowsToCheck(shape: Shape): { rows: Row[]; allRows: number } {
  const sequences = sequencesOf(shape).filter(({ queries }) => queries > 0)
  const { heads, headDim, valueDim } = shape
  const all: Row[] = []
  for (const sequence of sequences) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < sequence.queries; i++) all.push({ sequence, head, i })
    }
  }
  const cost = ({ sequence, i }: Row): number => {
    const [first, end] = rangeOfRow(shape, sequence, i)
    return Math.max(0, end - first) * (headDim + valueDim)
  }
  if (all.reduce((sum, row) => sum + cost(row), 0) <= BUDGET) return { rows: all, allRows: all.length }

  const isEnd = ({ sequence, i }: Row): boolean => i === 0 || i === sequence.queries - 1
  const ends = draw(all.filter(isEnd), BUDGET / 2, cost)
  const rest = draw(
    all.filter(row => !isEnd(row)),
    BUDGET / 2,
    cost,
  )
  return { rows: [...ends, ...rest], allRows: all.length }
}

function draw(rows: Row[], budget: number, cost: (row: Row) => number): Row[] {
  const next = uniform(7)
  const drawn: Row[] = []
  let left = budget
  for (let i = 0; i < rows.length && left > 0; i++) {
    const j = i + Math.floor(next() * (rows.length - i))
    const row = rows[j]
    rows[j] = rows[i]
    rows[i] = row
    drawn.push(row)
    left -= cost(row)
  }
  return drawn
}

/** Exact rows, one after the other. The file saves the children of a run from computing them anew. */
function oracle(work: Work, rows: Row[], cache?: string): Float64Array {
  const { valueDim } = work.shape
  if (cache && existsSync(cache)) {
    const bytes = readFileSync(cache)
    return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  }
  const exact = new Float64Array(rows.length * valueDim)
  rows.forEach((row, r) => {
    attendRow(work, row, exact.subarray(r * valueDim, (r + 1) * valueDim))
  })
  if (cache) {
    // By a rename, so that a child that is killed leaves no half file behind.
    writeFileSync(`${cache}.part`, exact)
    renameSync(`${cache}.part`, cache)
  }
  return exact
}

/** softmax(q k / sqrt(headDim)) v of one row, with the options of the shape, in float64. */
function attendRow(work: Work, row: Row, out: Float64Array): void {
  const { shape, v, keep } = work
  const { valueDim, heads, kvHeads } = shape
  const { sequence, head, i } = row
  const [first, end] = rangeOfRow(shape, sequence, i)
  const weights = new Float64Array(Math.max(0, end - first))
  let highest = Number.NEGATIVE_INFINITY
  for (let j = first; j < end; j++) {
    const leftOut = keep && keep[i * shape.keys + j] === 0
    weights[j - first] = leftOut ? Number.NEGATIVE_INFINITY : scoreOf(work, row, j)
    highest = Math.max(highest, weights[j - first])
  }
  if (highest === Number.NEGATIVE_INFINITY) return
  let total = 0
  for (let n = 0; n < weights.length; n++) {
    weights[n] = Math.exp(weights[n] - highest)
    total += weights[n]
  }
  const firstValue = sequence.v.first + Math.floor((head * kvHeads) / heads) * sequence.v.head
  for (let j = first; j < end; j++) {
    const weight = weights[j - first] / total
    const value = firstValue + j * sequence.v.row
    for (let c = 0; c < valueDim; c++) out[c] += weight * v[value + c]
  }
}

/** What softmax sees of row i and key j. */
function scoreOf({ shape, q, k, bias, slopes }: Work, { sequence, head, i }: Row, j: number): number {
  const { headDim, heads, kvHeads, queries, keys, options } = shape
  const query = sequence.q.first + head * sequence.q.head + i * sequence.q.row
  const key = sequence.k.first + Math.floor((head * kvHeads) / heads) * sequence.k.head + j * sequence.k.row
  let score = dot(q, query, k, key, headDim) / Math.sqrt(headDim)
  if (options?.softcap) score = options.softcap * Math.tanh(score / options.softcap)
  if (bias) score += bias[(head * queries + i) * keys + j]
  if (slopes) score -= slopes[head] * Math.abs(i - j)
  return score
}

/** Four sums side by side: one alone would wait for itself at every step. */
function dot(a: Float32Array, aAt: number, b: Float32Array, bAt: number, length: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let c = 0
  for (; c + 4 <= length; c += 4) {
    s0 += a[aAt + c] * b[bAt + c]
    s1 += a[aAt + c + 1] * b[bAt + c + 1]
    s2 += a[aAt + c + 2] * b[bAt + c + 2]
    s3 += a[aAt + c + 3] * b[bAt + c + 3]
  }
  for (; c < length; c++) s0 += a[aAt + c] * b[bAt + c]
  return s0 + s1 + (s2 + s3)
}
