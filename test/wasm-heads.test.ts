/**
 * Heads that lie side by side are worked on together on WASM: they give the bits of heads that lie apart, however
 * many there are, and keep to the memory that they may have.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, Tensor } from '../src/index.ts'
import { encodeFloat16 } from './oracle/half.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { kernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

/** [batch, heads, rows, dim] to [batch, rows, heads, dim], or back with heads and rows exchanged. */
function exchange(data: Float32Array, batch: number, heads: number, rows: number, dim: number): Float32Array {
  const out = data.slice()
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < rows; i++) {
        const from = ((b * heads + h) * rows + i) * dim
        out.set(data.subarray(from, from + dim), ((b * rows + i) * heads + h) * dim)
      }
    }
  }
  return out
}

interface Sizes {
  heads: number
  rows: number
  keys?: number
  headDim: number
  valueDim: number
  float16?: boolean
}

const BATCH = 2
const SIZES: readonly Sizes[] = [
  { heads: 2, rows: 1, keys: 70, headDim: 8, valueDim: 8 },
  { heads: 3, rows: 65, headDim: 5, valueDim: 3 },
  { heads: 12, rows: 97, headDim: 64, valueDim: 64 },
  // The last heads are fewer than those before them, and rows come in pieces.
  { heads: 13, rows: 333, headDim: 80, valueDim: 72 },
  { heads: 7, rows: 600, headDim: 16, valueDim: 12 },
  { heads: 5, rows: 130, headDim: 20, valueDim: 9, float16: true },
  { heads: 40, rows: 9, headDim: 33, valueDim: 31, float16: true },
]
/** As they are: halves have a number each too. */
const numbersOf = ({ data }: Tensor): Float32Array => Float32Array.from(data)

const nameOf = (s: Sizes): string => Object.entries(s).flat().join(' ')
const sizes = SIZES.map(s => [nameOf(s), s] as const)

const wasm = kernels.filter(({ backend }) => backend.startsWith('wasm'))

describe.each(wasm.map(row => [row.name, row] as const))('%s', (_, platform) => {
  const api = platform.open()

  test.each(sizes)('%s', (_, { heads, rows, keys = rows, headDim, valueDim, float16 }) => {
    const source = random(heads * rows)
    const numbers = (count: number, dim: number): Float32Array =>
      fillNormal(source, BATCH * heads * count * dim)
    const tensor = (data: Float32Array, dims: number[]): Tensor =>
      float16 ? { data: Uint16Array.from(data, encodeFloat16), dims, type: 'float16' } : { data, dims }
    const [q, k, v] = [numbers(rows, headDim), numbers(keys, headDim), numbers(keys, valueDim)]
    // Nobody sees the last keys of the second item, whatever they hold.
    const length = keys - 3
    for (const data of [k, v]) {
      const dim = data.length / (BATCH * heads * keys)
      for (let head = heads; head < 2 * heads; head++)
        data.fill(Number.NaN, (head * keys + length) * dim, (head + 1) * keys * dim)
    }
    const options: AttentionOptions = {
      causal: 'bottom-right',
      window: { left: 200 },
      softcap: 2,
      alibi: true,
      sinks: fillNormal(source, heads),
      keyLengths: Int32Array.of(keys, length),
      want: [],
    } as AttentionOptions
    const apart = api.attentionWeights(
      tensor(q, [BATCH, heads, rows, headDim]),
      tensor(k, [BATCH, heads, keys, headDim]),
      tensor(v, [BATCH, heads, keys, valueDim]),
      options,
    )
    const together = api.attentionWeights(
      tensor(exchange(q, BATCH, heads, rows, headDim), [BATCH, rows, heads, headDim]),
      tensor(exchange(k, BATCH, heads, keys, headDim), [BATCH, keys, heads, headDim]),
      tensor(exchange(v, BATCH, heads, keys, valueDim), [BATCH, keys, heads, valueDim]),
      { ...options, layout: 'bshd' },
    )
    const want = exchange(numbersOf(apart.output), BATCH, heads, rows, valueDim)
    expect(compareBits('output', numbersOf(together.output), want)).toBeUndefined()
    expect(compareBits('lse', numbersOf(together.lse), numbersOf(apart.lse))).toBeUndefined()
  })

  test('memory stays within 2 MiB', () => {
    for (const [heads, rows, dim] of [
      [12, 1, 64],
      [12, 512, 64],
      [64, 4096, 128],
      [300, 10, 64],
    ]) {
      const tokens = { data: new Float32Array(heads * rows * dim), dims: [1, rows, heads, dim] }
      const { scratchBytes } = api.plan(tokens, tokens, tokens, { layout: 'bshd' })
      expect(scratchBytes).toBeLessThanOrEqual(2 ** 21)
    }
  })
})
