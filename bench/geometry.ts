/**
 * Where the rows of a shape lie, which keys they attend to, and what that costs.
 * @module
 */
import type { Shape } from './contender.ts'

/** One sequence of the batch. */
export interface Sequence {
  queries: number
  /** Keys in use. */
  keys: number
  /** Addresses of channel 0 of row i (key j), head h: first + h * head + i * row. */
  q: Place
  k: Place
  v: Place
  out: Place
}

export interface Place {
  first: number
  head: number
  row: number
}

export function sequencesOf(shape: Shape): Sequence[] {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, keyLengths, cuSeqlens } = shape
  return Array.from({ length: batch }, (_, s) => {
    if (cuSeqlens) {
      const first = cuSeqlens[s]
      const length = cuSeqlens[s + 1] - first
      const place = (count: number, dim: number): Place => ({
        first: first * count * dim,
        head: dim,
        row: count * dim,
      })
      return {
        queries: length,
        keys: length,
        q: place(heads, headDim),
        k: place(kvHeads, headDim),
        v: place(kvHeads, valueDim),
        out: place(heads, valueDim),
      }
    }
    const place = (count: number, rows: number, dim: number): Place => ({
      first: s * count * rows * dim,
      head: rows * dim,
      row: dim,
    })
    return {
      queries,
      keys: keyLengths?.[s] ?? keys,
      q: place(heads, queries, headDim),
      k: place(kvHeads, keys, headDim),
      v: place(kvHeads, keys, valueDim),
      out: place(heads, queries, valueDim),
    }
  })
}

/** The keys [first, end) of its sequence that row i may attend to; none where end <= first. */
export function rangeOfRow({ causal, options }: Shape, sequence: Sequence, i: number): [number, number] {
  const position = causal === 'bottom-right' ? i + sequence.keys - sequence.queries : i
  const { left, right } = options?.window ?? {
    left: Number.POSITIVE_INFINITY,
    right: Number.POSITIVE_INFINITY,
  }
  const ahead = causal === 'none' ? right : Math.min(right, 0)
  return [Math.max(0, position - left), Math.min(sequence.keys, position + ahead + 1)]
}

/** Of every row one key in so many is left out by `keep`. */
const LEFT_OUT = 32

/** The mask of the option `keep`: other keys in every row, so that no tile is without one. */
export function isKept(i: number, j: number): boolean {
  return (7 * i + 13 * j) % LEFT_OUT !== 0
}

/** Keys that row i attends to. */
function keysOfRow(shape: Shape, sequence: Sequence, i: number): number {
  const [first, end] = rangeOfRow(shape, sequence, i)
  if (!shape.options?.keep) return Math.max(0, end - first)
  let count = 0
  for (let j = first; j < end; j++) if (isKept(i, j)) count++
  return count
}

export interface Cost {
  /** Query rows times the keys that each attends to, over all heads. */
  pairs: number
  /** 2 * pairs * (headDim + valueDim): pairs behind a mask do not count, whoever computes them. */
  flops: number
  /** q, k, v and the output, once each; keys that no row sees do not count. */
  bytes: number
}

export function costOf(shape: Shape): Cost {
  const { heads, kvHeads, headDim, valueDim, options } = shape
  const element = options?.float16 ? 2 : 4
  const cost: Cost = { pairs: 0, flops: 0, bytes: 0 }
  for (const sequence of sequencesOf(shape)) {
    let seen = 0
    for (let i = 0; i < sequence.queries; i++) {
      cost.pairs += keysOfRow(shape, sequence, i) * heads
      seen = Math.max(seen, rangeOfRow(shape, sequence, i)[1])
    }
    cost.bytes += element * (headDim + valueDim) * (sequence.queries * heads + seen * kvHeads)
  }
  cost.flops = 2 * cost.pairs * (headDim + valueDim)
  return cost
}
