/**
 * The named shapes: what models ask of attention, and the corners where libraries fall off.
 * @module
 */
import type { Shape } from './contender.ts'
import { uniform } from './data.ts'

type Given = Pick<Shape, 'name' | 'heads' | 'queries' | 'headDim' | 'note'> & Partial<Shape>

/** Fills in what is usual: one sequence, self-attention, a key/value head for every query head, no mask. */
export function shapeOf(given: Given): Shape {
  return {
    batch: 1,
    kvHeads: given.heads,
    keys: given.queries,
    valueDim: given.headDim,
    causal: 'none',
    ...given,
  }
}

/** First token of each sequence, and the total: 'cuSeqlens'. */
export function firstTokens(lengths: readonly number[]): number[] {
  const first = [0]
  for (const length of lengths) first.push(first[first.length - 1] + length)
  return first
}

/** Sequences of random length behind one another. */
function raggedBatch(count: number, shortest: number, longest: number): Given {
  const next = uniform(64)
  const lengths = Array.from(
    { length: count },
    () => shortest + Math.floor(next() * (longest - shortest + 1)),
  )
  const cuSeqlens = firstTokens(lengths)
  const note = `${count} sequences of ${shortest} to ${longest} tokens, ${cuSeqlens[count]} in all`
  return {
    name: 'ragged',
    batch: count,
    heads: 12,
    queries: Math.max(...lengths),
    headDim: 64,
    cuSeqlens,
    note,
  }
}

/** Sequences with caches of different fill, as a server decodes them together. */
function batchDecode(count: number, longest: number): Given {
  const next = uniform(16)
  const keyLengths = Array.from({ length: count }, () => 1 + Math.floor(next() * longest))
  keyLengths[0] = longest
  return {
    name: 'batch-decode',
    batch: count,
    heads: 8,
    kvHeads: 2,
    queries: 1,
    keys: longest,
    headDim: 128,
    keyLengths,
    cache: 'float32',
    note: `${count} sequences, one new token each, caches of different length`,
  }
}

const GIVEN: Given[] = [
  { name: 'bert-512', heads: 12, queries: 512, headDim: 64, note: 'BERT base, its longest input' },
  { name: 'gpt-1024', heads: 12, queries: 1024, headDim: 64, causal: 'top-left', note: 'GPT-2 prefill' },
  {
    name: 'llama-2048',
    heads: 32,
    kvHeads: 8,
    queries: 2048,
    headDim: 128,
    causal: 'top-left',
    note: 'Llama 3 8B prefill, grouped queries',
  },
  { name: 'minilm', batch: 8, heads: 12, queries: 128, headDim: 32, note: 'MiniLM, a batch to embed' },
  { name: 'long-8192', heads: 2, queries: 8192, headDim: 64, note: 'long input, few heads' },
  { name: 'long-32768', heads: 1, queries: 32768, headDim: 64, note: 'the longest input, one head' },
  { name: 'tiny', heads: 12, queries: 16, headDim: 64, note: 'a short sentence: the cost of a call' },
  { name: 'odd', heads: 10, queries: 777, headDim: 80, note: 'nothing divides by a tile' },
  {
    name: 'vit-197',
    heads: 12,
    queries: 197,
    headDim: 64,
    note: 'ViT base, 14 x 14 patches and a class token',
  },
  raggedBatch(64, 5, 300),
  {
    name: 'decode-4096',
    heads: 32,
    kvHeads: 8,
    queries: 1,
    keys: 4096,
    headDim: 128,
    cache: 'float32',
    note: 'one new token, Llama 3 8B cache',
  },
  {
    name: 'decode-32768',
    heads: 32,
    kvHeads: 8,
    queries: 1,
    keys: 32768,
    headDim: 128,
    cache: 'float32',
    note: 'one new token, a cache beyond most caches',
  },
  {
    name: 'chunked-prefill',
    heads: 32,
    kvHeads: 8,
    queries: 256,
    keys: 4096,
    headDim: 128,
    causal: 'bottom-right',
    note: 'the last 256 of 4096 tokens',
  },
  batchDecode(16, 4096),
]

export const SHAPES: readonly Shape[] = GIVEN.map(shapeOf)

/** `[1, 12, 512, 64]`, and what else tells the shape. */
export function describeShape(shape: Shape): string {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, causal, cuSeqlens } = shape
  const rows = cuSeqlens ? `${cuSeqlens[cuSeqlens.length - 1]} tokens` : `${batch}`
  const words = [
    `[${rows}, ${heads}, ${cuSeqlens ? '' : `${queries}, `}${headDim}]`,
    ...(kvHeads === heads ? [] : [`${kvHeads} kv heads`]),
    ...(keys === queries ? [] : [`${keys} keys`]),
    ...(valueDim === headDim ? [] : [`values ${valueDim}`]),
    ...(causal === 'none' ? [] : ['causal']),
  ]
  return words.join(', ')
}
