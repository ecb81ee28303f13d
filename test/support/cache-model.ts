/**
 * What a cache should hold, in plain arrays: the tokens of every item, and the tensors that attention without a cache takes.
 * @module
 */
import type { CacheType, MaskTensor, Tensor } from '../../src/index.ts'
import { KvCache } from '../../src/index.ts'
import { roundFloat16 } from '../oracle/half.ts'
import { roundInt8 } from '../oracle/int8.ts'
import { compareBits } from './compare.ts'
import { fillNormal } from './fill.ts'
import { type Random, random } from './random.ts'

export interface Sizes {
  batch: number
  kvHeads: number
  headDim: number
  valueDim: number
}

/** A key and a value of one token, over all heads: [kvHeads * headDim], [kvHeads * valueDim]. */
interface Token {
  k: Float32Array
  v: Float32Array
}

export interface Tokens {
  k: Tensor
  v: Tensor
}

export const TYPES: readonly CacheType[] = ['float32', 'float16', 'int8']

/** The numbers that rows of some channels become in a cache of a type. */
export function rounded(type: CacheType, numbers: Float32Array, channels: number): Float32Array {
  if (type === 'float32') return numbers
  if (type === 'float16') return numbers.map(roundFloat16)
  const all = new Float32Array(numbers.length)
  for (let at = 0; at < all.length; at += channels)
    all.set(roundInt8(numbers.subarray(at, at + channels)), at)
  return all
}

export class Model {
  readonly sizes: Sizes
  readonly type: CacheType
  items: Token[][]

  constructor(sizes: Sizes, type: CacheType = 'float32') {
    this.sizes = sizes
    this.type = type
    this.items = Array.from({ length: sizes.batch }, () => [])
  }

  get lengths(): number[] {
    return this.items.map(tokens => tokens.length)
  }

  get length(): number {
    return Math.max(0, ...this.lengths)
  }

  fork(): Model {
    const fork = new Model(this.sizes, this.type)
    fork.items = this.items.map(tokens => [...tokens])
    return fork
  }

  truncate(lengths: readonly number[]): void {
    this.items = this.items.map((tokens, b) => tokens.slice(0, lengths[b]))
  }

  /** Draws `rows` tokens per item, keeps the first `lengths[b]` of each as the type has them, returns the tensors to append. */
  draw(source: Random, rows: number, lengths?: readonly number[], layout: 'bhsd' | 'bshd' = 'bhsd'): Tokens {
    const { batch, kvHeads, headDim, valueDim } = this.sizes
    const drawn = Array.from({ length: batch }, () =>
      Array.from({ length: rows }, () => ({
        k: fillNormal(source, kvHeads * headDim),
        v: fillNormal(source, kvHeads * valueDim),
      })),
    )
    const kept = ({ k, v }: Token): Token => ({
      k: rounded(this.type, k, headDim),
      v: rounded(this.type, v, valueDim),
    })
    for (const [b, tokens] of drawn.entries())
      this.items[b].push(...tokens.slice(0, lengths?.[b] ?? rows).map(kept))
    return tensorsOf(this.sizes, drawn, rows, layout)
  }

  /** All tokens in tensors of one piece; behind the shorter items NaN, which nobody may read. */
  dense(): Tokens {
    return tensorsOf(this.sizes, this.items, this.length, 'bhsd')
  }
}

function tensorsOf(sizes: Sizes, items: Token[][], rows: number, layout: 'bhsd' | 'bshd'): Tokens {
  const one = (name: 'k' | 'v', channels: number): Tensor => {
    const { batch, kvHeads } = sizes
    const data = new Float32Array(batch * kvHeads * rows * channels).fill(Number.NaN)
    for (const [b, tokens] of items.entries()) {
      for (const [j, token] of tokens.entries()) {
        for (let h = 0; h < kvHeads; h++) {
          const row = layout === 'bhsd' ? (b * kvHeads + h) * rows + j : (b * rows + j) * kvHeads + h
          data.set(token[name].subarray(h * channels, (h + 1) * channels), row * channels)
        }
      }
    }
    return {
      data,
      dims: layout === 'bhsd' ? [batch, kvHeads, rows, channels] : [batch, rows, kvHeads, channels],
    }
  }
  return { k: one('k', sizes.headDim), v: one('v', sizes.valueDim) }
}

/** Queries [batch, heads, rows, headDim]. */
export function queries(seed: number, batch: number, heads: number, rows: number, headDim: number): Tensor {
  return {
    data: fillNormal(random(seed), batch * heads * rows * headDim),
    dims: [batch, heads, rows, headDim],
  }
}

/** Rows [from, to) of a tensor [batch, heads, rows, channels]. */
export function rowsOf(tensor: Tensor, from: number, to: number): Tensor {
  const [batch, heads, rows, channels] = tensor.dims
  const data = new Float32Array(batch * heads * (to - from) * channels)
  for (let n = 0; n < batch * heads; n++) {
    const part = tensor.data.subarray((n * rows + from) * channels, (n * rows + to) * channels)
    data.set(part, n * (to - from) * channels)
  }
  return { data, dims: [batch, heads, to - from, channels] }
}

/** A cache and its model with `count` tokens in every item, appended in pieces. */
export function filled(
  sizes: Sizes,
  count: number,
  pieces: number[],
  seed = 7,
  type: CacheType = 'float32',
): { cache: KvCache; model: Model } {
  const model = new Model(sizes, type)
  const cache = new KvCache({ ...sizes, type })
  const source = random(seed)
  for (let n = 0; model.length < count; n++) {
    const { k, v } = model.draw(source, Math.min(pieces[n % pieces.length], count - model.length))
    cache.append(k, v)
  }
  return { cache, model }
}

export const bits = (label: string, a: Tensor, b: Tensor): string | undefined =>
  compareBits(label, a.data as Float32Array, b.data as Float32Array)

/**
 * What differs between attention over a cache and over the same numbers in one piece: no bit, but where few rows take
 * the scales of int8 after the products instead of before.
 */
export function sameAttention(
  label: string,
  got: Tensor,
  want: Tensor,
  { type, backend, rows }: { type: CacheType; backend: string; rows: number },
): string | undefined {
  if (type !== 'int8' || backend === 'reference' || rows > 16) return bits(label, got, want)
  const at = got.data.findIndex(
    (x, i) => !(Math.abs(x - want.data[i]) <= 3e-6) && !Object.is(x, want.data[i]),
  )
  return at < 0 ? undefined : `${label}[${at}]: ${got.data[at]} instead of ${want.data[at]}`
}

/** A byte mask of which three quarters attend. */
export const maskOf = (seed: number, dims: number[]): MaskTensor => {
  const source = random(seed)
  const data = Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (source.below(4) ? 1 : 0))
  return { data, dims }
}
