/**
 * What each option of a call costs: shapes that ask for one, each beside the plain call on the same shape.
 * @module
 */
import type { CallOptions, Shape } from './contender.ts'
import { uniform } from './data.ts'
import { firstTokens, shapeOf } from './shapes.ts'

/** A call with one option, and the same call without it. */
export interface Priced {
  shape: Shape
  plain: Shape
}

const SQUARE = { heads: 12, queries: 1024, headDim: 64 }
const LONG = { heads: 2, queries: 4096, headDim: 64 }
const DECODE = { heads: 32, kvHeads: 8, queries: 1, keys: 4096, headDim: 128 }
const LOW = { heads: 12, queries: 512, headDim: 64 }
const LOW_WIDE = { heads: 6, queries: 512, headDim: 128 }
const BATCH = { batch: 8, heads: 12, queries: 512, headDim: 64 }

const lengths = drawLengths(BATCH.batch, BATCH.queries)

export const PRICED: readonly Priced[] = [
  priced('causal', SQUARE, { causal: 'top-left' }, 'a decoder'),
  priced('lengths', BATCH, { keyLengths: lengths }, 'padded keys that do not count'),
  priced(
    'ragged',
    BATCH,
    { cuSeqlens: firstTokens(lengths), queries: Math.max(...lengths) },
    'sequences without padding',
  ),
  priced(
    'window',
    LONG,
    { causal: 'top-left', options: { window: { left: 255, right: 0 } } },
    'a decoder that looks at 256 of 4096 keys',
  ),
  withOption('softcap', { softcap: 50 }, 'as in Gemma 2'),
  withOption('bias', { bias: true }, 'a float for every head, row and key'),
  withOption('keep', { keep: true }, 'a byte for every row and key'),
  withOption('alibi', { alibi: true }, 'one slope for every head'),
  withOption('float16', { float16: true }, 'storage of q, k, v and output'),
  ...(['float16', 'int8'] as const).map(cache => cached(cache)),
  ...(['int16', 'bfloat16', 'int8'] as const).flatMap(precision => [
    priced(precision, LOW, { options: { precision } }, 'arithmetic of the products'),
    priced(`${precision}-d128`, LOW_WIDE, { options: { precision } }, 'arithmetic of the products'),
  ]),
]

type Base = Pick<Shape, 'heads' | 'queries' | 'headDim'> & Partial<Shape>

function priced(name: string, base: Base, more: Partial<Shape>, note: string): Priced {
  return {
    shape: shapeOf({ ...base, ...more, name: `option-${name}`, note }),
    plain: shapeOf({ ...base, name: `plain-${name}`, note: `${name} left away` }),
  }
}

function withOption(name: string, options: CallOptions, note: string): Priced {
  return priced(name, SQUARE, { options }, note)
}

/** One new token beside a cache of another type than float32. */
function cached(type: 'float16' | 'int8'): Priced {
  return {
    shape: shapeOf({
      ...DECODE,
      cache: type,
      name: `option-cache-${type}`,
      note: 'storage of the cache, decoding',
    }),
    plain: shapeOf({ ...DECODE, cache: 'float32', name: `plain-cache-${type}`, note: 'a float32 cache' }),
  }
}

/** From 1 to `longest`; the first is as long as that. */
function drawLengths(count: number, longest: number): number[] {
  const next = uniform(8)
  return Array.from({ length: count }, (_, s) => (s === 0 ? longest : 1 + Math.floor(next() * longest)))
}
