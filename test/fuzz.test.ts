/**
 * Any arguments at all: a call answers, or refuses by an error that begins with the name of an argument.
 * @module
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttentionOptions, TensorLike } from '../src/index.ts'
import { load } from '../src/index.ts'
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
