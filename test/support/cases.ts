/**
 * One call of attention, described by numbers and a seed, so that its name is enough to build it again.
 * @module
 */
import type { OracleOptions, OracleTensor } from '../oracle/types.ts'
import { bendScores, fillNormal } from './fill.ts'
import { type Random, random } from './random.ts'

/** How the tensors are given. */
export type Form = 'bhsd' | 'bshd' | 'rank3' | 'rank2' | 'ragged'

/** What the numbers are like; `rising` and `falling` make the running maximum of the softmax move. */
export type Numbers = 'normal' | 'large' | 'rising' | 'falling'

export interface Case {
  /** Fit for a regular expression as it is, for `vitest -t`. */
  name: string
  seed: number
  form: Form
  batch: number
  heads: number
  kvHeads: number
  queries: number
  keys: number
  headDim: number
  valueDim: number
  numbers: Numbers
  /** First tokens of the sequences of a ragged batch; `batch` is then 1, and rows and keys are all tokens. */
  ragged?: { q: Int32Array; k: Int32Array }
  /** Options other than those that follow from the form; tensors among them are drawn from `source`. */
  options: (source: Random) => OracleOptions
}

export interface Call {
  q: OracleTensor & { data: Float32Array }
  k: OracleTensor & { data: Float32Array }
  v: OracleTensor & { data: Float32Array }
  options: OracleOptions
}

/** Multiply-adds of a case, which is what its time grows with. */
export function workOf(c: Case): number {
  return c.batch * c.heads * c.queries * c.keys * (c.headDim + c.valueDim)
}

export function sizesOf(c: Omit<Case, 'name' | 'seed' | 'options'>): string {
  const sizes = `b${c.batch} h${c.heads}:${c.kvHeads} q${c.queries} k${c.keys} d${c.headDim} v${c.valueDim}`
  return `${sizes} ${c.form}${c.numbers === 'normal' ? '' : ` ${c.numbers}`}`
}

export function buildCall(c: Case): Call {
  const source = random(c.seed)
  const tensor = (heads: number, rows: number, channels: number) => ({
    data: fillNormal(source, c.batch * heads * rows * channels),
    dims: dimsOf(c, heads, rows, channels),
  })
  const q = tensor(c.heads, c.queries, c.headDim)
  const k = tensor(c.kvHeads, c.keys, c.headDim)
  const v = tensor(c.kvHeads, c.keys, c.valueDim)
  bendScores(c, q.data, k.data)
  const options = c.options(source)
  if (c.ragged) options.cuSeqlens = c.ragged
  if (c.form === 'bshd') options.layout = 'bshd'
  if (c.form === 'rank3') options.heads = c.heads
  if (c.form === 'rank3' && c.kvHeads !== c.heads) options.kvHeads = c.kvHeads
  return { q, k, v, options }
}

export function dimsOf(
  c: Pick<Case, 'form' | 'batch'>,
  heads: number,
  rows: number,
  channels: number,
): number[] {
  switch (c.form) {
    case 'bhsd':
      return [c.batch, heads, rows, channels]
    case 'bshd':
      return [c.batch, rows, heads, channels]
    case 'rank3':
      return [c.batch, rows, heads * channels]
    case 'rank2':
      return [rows, channels]
    case 'ragged':
      return [rows, heads, channels]
  }
}
