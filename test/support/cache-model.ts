/**
 * What a cache should hold, in plain arrays: the tokens of every item, and the tensors that attention without a cache takes.
 * @module
 */
import type { MaskTensor, Tensor } from '../../src/index.ts'
import { KvCache } from '../../src/index.ts'
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

export class Model {
  readonly sizes: Sizes
  items: Token[][]

  constructor(sizes: Sizes) {
    this.sizes = sizes
    this.items = Array.from({ length: sizes.batch }, () => [])
  }

  get lengths(): number[] {
    return this.items.map(tokens => tokens.length)
  }

  get length(): number {
    return Math.max(0, ...this.lengths)
  }

  fork(): Model {
    const fork = new Model(this.sizes)
    fork.items = this.items.map(tokens => [...tokens])
    return fork
  }

  truncate(lengths: readonly number[]): void {
    this.items = this.items.map((tokens, b) => tokens.slice(0, lengths[b]))
  }

  /** Draws `rows` tokens per item, keeps the first `lengths[b]` of each, and returns the tensors to append. */
  draw(source: Random, rows: number, lengths?: readonly number[], layout: 'bhsd' | 'bshd' = 'bhsd'): Tokens {
    const { batch, kvHeads, headDim, valueDim } = this.sizes
    const drawn = Array.from({ length: batch }, () =>
      Array.from({ length: rows }, () => ({
        k: fillNormal(source, kvHeads * headDim),
        v: fillNormal(source, kvHeads * valueDim),
      })),
    )
    for (const [b, tokens] of drawn.entries()) this.items[b].push(...tokens.slice(0, lengths?.[b] ?? rows))
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
): { cache: KvCache; model: Model } {
  const model = new Model(sizes)
  const cache = new KvCache(sizes)
  const source = random(seed)
  for (let n = 0; model.length < count; n++) {
    const { k, v } = model.draw(source, Math.min(pieces[n % pieces.length], count - model.length))
    cache.append(k, v)
  }
  return { cache, model }
}

export const bits = (label: string, a: Tensor, b: Tensor): string | undefined =>
  compareBits(label, a.data as Float32Array, b.data as Float32Array)

/** A byte mask of which three quarters attend. */
export const maskOf = (seed: number, dims: number[]): MaskTensor => {
  const source = random(seed)
  const data = Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (source.below(4) ? 1 : 0))
  return { data, dims }
}
