/**
 * Any arguments at all: a call answers, or refuses by an error that begins with the name of an argument.
 * @module
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttentionOptions, TensorLike } from '../src/index.ts'
import { KvCache, load } from '../src/index.ts'
import { namedKernels } from './support/platforms.ts'
import { SEED } from './support/random.ts'
import './support/replay.ts'

const OPTIONS = [
  ...[
    'heads',
    'kvHeads',
    'layout',
    'scale',
    'softcap',
    'causal',
    'queryOffset',
    'window',
    'keep',
    'drop',
    'bias',
    'alibi',
  ],
  ...[
    'sinks',
    'keyLengths',
    'queryLengths',
    'leftPad',
    'cuSeqlens',
    'out',
    'precision',
    'threads',
    'want',
    'scoresAt',
    'rows',
  ],
]
const NAMED = new RegExp(`^(q|k|v|options|dropout|signal|${OPTIONS.join('|')})[.:[]`)

const sizes = fc.integer({ min: 0, max: 5 })
const odd = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom<unknown>(null, undefined, Number.NaN, '', 'x', true, {}, [], 0n, Symbol('s')),
)

/** An array that may be too short, too long or of another kind. */
const data = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 700 }).map(size => new Float32Array(size)) },
  fc.integer({ min: 0, max: 90 }).map(size => new Uint16Array(size)),
  fc.integer({ min: 0, max: 90 }).map(size => new Uint8Array(size)),
  fc.integer({ min: 0, max: 9 }).map(size => new Int32Array(size)),
  odd,
)
const dims = fc.oneof(
  { weight: 5, arbitrary: fc.array(sizes, { minLength: 0, maxLength: 5 }) },
  fc.array(odd, { maxLength: 4 }),
  odd,
)

/** A tensor whose data mostly fits its dims, so that calls get past the first check. */
const fitting = fc
  .array(sizes, { minLength: 2, maxLength: 4 })
  .map(dims => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5), dims }))
const tensor = fc.oneof(
  { weight: 6, arbitrary: fitting },
  fc.record({ data, dims, type: fc.constantFrom('float32', 'float16', 'bfloat16', undefined, 'int8') }),
  odd,
)
const value = fc.oneof(
  ...[
    odd,
    tensor,
    data,
    fc.constantFrom('top-left', 'bottom-right', 'bshd', 'float32', ['weights'], ['mass'], 'masked'),
  ],
  fc.record({ left: odd, right: odd }),
  fc.record({ q: data, k: data }),
  fc.array(sizes, { maxLength: 4 }).map(counts => Int32Array.from(counts)),
)
const options = fc.oneof(
  fc.constant(undefined),
  fc.dictionary(fc.oneof(fc.constantFrom(...OPTIONS), fc.string()), value, { maxKeys: 3 }),
  odd,
)

test.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()
  let answered = 0
  fc.assert(
    fc.property(tensor, tensor, fc.boolean(), options, (q, kv, self, settings) => {
      const k = self ? q : kv
      for (const call of [
        api.attention,
        api.attentionPartial,
        api.attentionWeights,
      ] as (typeof api.attentionWeights)[]) {
        try {
          call(q as TensorLike, k as TensorLike, k as TensorLike, settings as AttentionOptions)
          answered++
        } catch (error) {
          expect(error).toSatisfy(e => e instanceof TypeError || e instanceof RangeError)
          expect((error as Error).message).toMatch(NAMED)
        }
      }
    }),
    { numRuns: 1500, seed: SEED },
  )
  // A fuzz that only ever met refusals would prove little.
  expect(answered).toBeGreaterThan(300)
})

/** A cache that the queries mostly fit, of uneven items, with or without a window. */
const cache = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 1, max: 5 }),
    rolls: fc.boolean(),
  })
  .map(({ batch, headDim, rolls }) => {
    const made = new KvCache({ batch, kvHeads: 1, headDim, ...(rolls && { window: 3, sinkTokens: 1 }) })
    const t = { data: new Float32Array(batch * 4 * headDim).fill(0.5), dims: [batch, 1, 4, headDim] }
    made.append(t, t, { lengths: Int32Array.from({ length: batch }, (_, b) => 4 - b) })
    return made
  })

test('over a cache, and its own methods', () => {
  const api = load({ backend: 'reference' })
  const named = new RegExp(NAMED.source.replace('(', '(cache|length|lengths|bytes|maxBytes|'))
  let answered = 0
  fc.assert(
    fc.property(
      fc.option(fitting, { freq: 2 }),
      cache,
      odd,
      tensor,
      options,
      (other, kv, number, t, settings) => {
        const dims = [kv.batch, 2, 2, kv.headDim]
        const q = other ?? { data: new Float32Array(kv.batch * 4 * kv.headDim), dims }
        const calls = [
          () => api.attention(q, kv, settings as AttentionOptions),
          () => api.attentionWeights(q, kv, settings as AttentionOptions),
          () => kv.append(t as TensorLike, q, settings as never),
          () => kv.truncate(number as never),
          () => KvCache.from(number as never, settings as never),
          () => new KvCache({ kvHeads: number, headDim: 2, ...(settings as object) } as never),
        ]
        for (const call of calls) {
          try {
            call()
            answered++
          } catch (error) {
            expect(error).toSatisfy(e => e instanceof TypeError || e instanceof RangeError)
            expect((error as Error).message).toMatch(named)
          }
        }
      },
    ),
    { numRuns: 1500, seed: SEED },
  )
  expect(answered).toBeGreaterThan(300)
})

test('arguments of load', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('backend', 'isa', 'threads', 'wasm', 'x'), odd, { minKeys: 1 }),
      settings => {
        try {
          load(settings as never)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect((error as Error).message).toMatch(/^(options|backend|isa|threads|wasm)[.:]|^no backend fits/)
        }
      },
    ),
    { numRuns: 300, seed: SEED },
  )
})
