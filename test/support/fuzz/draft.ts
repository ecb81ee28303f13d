/**
 * Any call of attention at all, as a few plain numbers that fast-check can draw, shrink and print.
 * Numbers that must fit others (a length its keys, a mask the heads) are folded into range when the call is built,
 * so every draft is a call, and a smaller draft is a smaller call.
 * @module
 */
import fc from 'fast-check'
import type { Form, Numbers } from '../cases.ts'

export const STORAGES = [
  'float32',
  'float16',
  'bfloat16',
  'float32 on float16',
  'float32 on bfloat16',
] as const
export const SPREADS = ['k', 'qk', '1k', '1qk', 'hqk', 'h1k', 'b11k', '1h1k', 'b1qk', 'bh1k', 'bhqk'] as const
export type Spread = (typeof SPREADS)[number]

export interface MaskDraft {
  readonly spread: Spread
  readonly bits: boolean
  /** Percent of the elements that are true. */
  readonly share: number
}

export interface Draft {
  /** Of the numbers in the tensors. */
  readonly seed: number
  readonly form: Form
  readonly batch: number
  readonly kvHeads: number
  readonly group: number
  readonly queries: number
  readonly keys: number
  readonly headDim: number
  /** 0: that of the keys. */
  readonly valueDim: number
  /** Rows and keys of each sequence, where the form is ragged; `square` takes the rows for both. */
  readonly sequences: readonly (readonly [rows: number, keys: number])[]
  readonly square: boolean
  readonly storage: (typeof STORAGES)[number]
  readonly numbers: Numbers
  readonly scale: number | undefined
  readonly softcap: number | undefined
  readonly causal: true | 'top-left' | 'bottom-right' | undefined
  /** One: the same for all items. */
  readonly offsets: readonly number[] | undefined
  readonly left: number | undefined
  readonly right: number | undefined
  readonly keep: MaskDraft | undefined
  readonly drop: MaskDraft | undefined
  readonly bias: { readonly spread: Spread; readonly type: 'float32' | 'float16' | 'bfloat16' } | undefined
  readonly alibi: 'standard' | 'slopes' | undefined
  readonly sinks: boolean
  readonly keyLengths: readonly number[] | undefined
  readonly queryLengths: readonly number[] | undefined
  readonly leftPad: readonly number[] | undefined
  /** NaN and Inf where nobody attends, or one NaN in a key or a value that somebody attends to. */
  readonly poison: 'nowhere' | 'unattended' | 'a key' | 'a value'
  readonly want: readonly ('weights' | 'scores' | 'mass')[]
  readonly scoresAt: 'scaled' | 'capped' | 'masked'
  /** Selected rows of a look inside. */
  readonly rows: readonly number[] | undefined
  /** Where the keys are cut in parts, in percent. */
  readonly cuts: readonly number[]
}

/** The first choice is what a failing case shrinks towards. */
function either<T>(
  ...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]
): fc.Arbitrary<T> {
  const weighed = choices.map(([weight, arbitrary]) => ({ weight, arbitrary }))
  return fc.oneof({ withCrossShrink: true }, ...weighed)
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  either<T | undefined>([3, fc.constant(undefined)], [1, arbitrary])

const upTo = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most })
const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

/** Around the edges of tiles (4, 8), vectors (16), strips, and blocks of rows (16, 32, 64). */
const queries = either(
  [4, upTo(20)],
  [2, fc.constantFrom(23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65)],
  [1, fc.constantFrom(97, 127, 128, 129, 200)],
)
/** Around the edges of blocks of keys (64, 128) too. */
const keys = either(
  [4, upTo(40)],
  [3, fc.constantFrom(47, 48, 49, 63, 64, 65, 66, 95, 96, 97, 127, 128, 129, 130)],
  [2, fc.constantFrom(191, 192, 193, 255, 256, 257, 300, 383, 384, 385, 511, 512, 513, 640)],
)
const dim = either(
  [4, between(1, 34)],
  [1, fc.constantFrom(40, 47, 48, 49, 63, 64, 65, 72, 80, 96, 128, 129)],
)

const perItem = (most: number): fc.Arbitrary<number[]> => fc.array(upTo(most), { minLength: 1, maxLength: 4 })
const spread = fc.constantFrom(...SPREADS)
const mask = fc.record({ spread, bits: fc.boolean(), share: fc.constantFrom(70, 30, 0, 100, 5, 95) })
const distance = either([3, upTo(20)], [2, upTo(150)], [1, fc.constantFrom(640, 5000)])

export const drafts: fc.Arbitrary<Draft> = fc.record({
  seed: upTo(2 ** 31 - 1),
  form: fc.constantFrom('bhsd', 'bhsd', 'bshd', 'rank3', 'rank2', 'ragged'),
  batch: either([3, between(1, 2)], [1, between(1, 4)]),
  kvHeads: between(1, 3),
  group: either([3, between(1, 3)], [1, between(1, 8)]),
  queries,
  keys,
  headDim: dim,
  valueDim: either([2, fc.constant(0)], [1, dim]),
  sequences: fc.array(fc.tuple(queries, keys), { maxLength: 4 }),
  square: fc.boolean(),
  storage: either([3, fc.constant<(typeof STORAGES)[number]>('float32')], [2, fc.constantFrom(...STORAGES)]),
  numbers: either<Numbers>(
    [3, fc.constant<Numbers>('normal')],
    [2, fc.constantFrom<Numbers>('large', 'rising', 'falling')],
  ),
  scale: maybe(fc.constantFrom(1, 0.3, 0, -0.2, 1e-3, 3)),
  softcap: maybe(fc.constantFrom(1, 0, 5, 0.25, 30)),
  causal: either<Draft['causal']>(
    [3, fc.constant(undefined)],
    [2, fc.constantFrom<Draft['causal']>(true, 'top-left', 'bottom-right')],
  ),
  offsets: maybe(perItem(2000)),
  left: maybe(distance),
  right: maybe(distance),
  keep: maybe(mask),
  drop: maybe(mask),
  bias: maybe(fc.record({ spread, type: fc.constantFrom('float32', 'float16', 'bfloat16') })),
  alibi: maybe(fc.constantFrom('standard', 'slopes')),
  sinks: either([3, fc.constant(false)], [1, fc.constant(true)]),
  keyLengths: maybe(perItem(2000)),
  queryLengths: maybe(perItem(2000)),
  leftPad: maybe(perItem(2000)),
  poison: either<Draft['poison']>(
    [4, fc.constant('nowhere')],
    [2, fc.constant('unattended')],
    [1, fc.constantFrom('a key', 'a value')],
  ),
  want: fc.subarray(['weights', 'scores', 'mass'] as const),
  scoresAt: fc.constantFrom('masked', 'capped', 'scaled'),
  rows: maybe(fc.array(upTo(2000), { maxLength: 6 })),
  cuts: fc.array(upTo(100), { maxLength: 3 }),
})
