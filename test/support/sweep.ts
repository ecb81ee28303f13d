/**
 * Sizes around every edge of a tile, a vector and a block, and primes, each combined with others by the seed.
 * @module
 */
import { type Case, type Form, type Numbers, sizesOf, workOf } from './cases.ts'
import { type Random, random, SEED } from './random.ts'

const SMALL = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65]
const QUERIES = [...SMALL, 97, 127, 128, 129, 255, 256, 257, 300, 513]
const KEYS = [...SMALL, 97, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 769, 1031]
const DIMS = [1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 31, 32, 33, 40, 64, 65, 72, 80, 96, 128, 129, 256]
const HEADS = [
  [1, 1],
  [2, 1],
  [3, 3],
  [6, 2],
  [4, 1],
] as const
const FORMS: readonly Form[] = ['bhsd', 'bhsd', 'bshd', 'rank3', 'rank2']
const NUMBERS: readonly Numbers[] = ['normal', 'normal', 'normal', 'large', 'rising', 'falling']

/** Multiply-adds that a case may cost; beyond it heads, batch and widths shrink. */
const MOST_WORK = 6e6

/** What scalar and reference get. */
export const SLOW_WORK = 1e6

/** The seed of a numbered case of a named list. */
export function seedOf(list: string, n: number): number {
  let seed = SEED
  for (const letter of list) seed = Math.imul(seed ^ letter.charCodeAt(0), 0x01000193) >>> 0
  return (seed + Math.imul(n, 0x9e3779b9)) >>> 0
}

type Sizes = Omit<Case, 'name' | 'seed' | 'options'>

/** Draws what is not fixed, and shrinks what may be until the case is cheap enough. */
export function drawSizes(source: Random, fixed: Partial<Sizes>, most: number = MOST_WORK): Sizes {
  const [heads, kvHeads] = source.pick(HEADS)
  const headDim = fixed.headDim ?? source.pick(DIMS)
  const drawn: Sizes = {
    form: source.pick(FORMS),
    batch: 1 + source.below(2),
    heads,
    kvHeads,
    queries: source.pick(QUERIES),
    keys: source.pick(KEYS),
    headDim,
    valueDim: source.below(3) === 0 ? source.pick(DIMS) : headDim,
    numbers: source.pick(NUMBERS),
    ...fixed,
  }
  const free = (name: keyof Sizes): boolean => fixed[name] === undefined && workOf(drawn as Case) > most
  if (free('batch')) drawn.batch = 1
  if (free('heads')) drawn.heads = drawn.kvHeads = 1
  if (free('valueDim')) drawn.valueDim = source.pick(DIMS.filter(dim => dim <= 17))
  if (free('headDim')) drawn.headDim = source.pick(DIMS.filter(dim => dim <= 17))
  while (free('queries')) drawn.queries = source.pick(QUERIES.filter(size => size < drawn.queries))
  while (free('keys')) drawn.keys = source.pick(KEYS.filter(size => size < drawn.keys))
  if (drawn.form === 'rank2') drawn.batch = drawn.heads = drawn.kvHeads = 1
  return drawn
}

/** Every size of every list at least once, dense or causal in one of its forms. */
export function sizeCases(): Case[] {
  const fixed: Partial<Sizes>[] = [
    ...QUERIES.map(queries => ({ queries })),
    ...KEYS.map(keys => ({ keys })),
    ...DIMS.map(headDim => ({ headDim })),
    ...DIMS.map(valueDim => ({ valueDim })),
    // The shapes of real models: MiniLM, GPT-2, Llama with grouped heads, one query against a cache.
    { batch: 1, heads: 12, kvHeads: 12, queries: 16, keys: 16, headDim: 32, valueDim: 32, form: 'bhsd' },
    { batch: 1, heads: 2, kvHeads: 2, queries: 256, keys: 256, headDim: 64, valueDim: 64, form: 'bshd' },
    { batch: 1, heads: 8, kvHeads: 2, queries: 33, keys: 33, headDim: 128, valueDim: 128, form: 'bhsd' },
    { batch: 2, heads: 6, kvHeads: 2, queries: 1, keys: 1031, headDim: 64, valueDim: 64, form: 'bhsd' },
  ]
  return fixed.map((sizes, n) => {
    const seed = seedOf('sizes', n)
    const source = random(seed)
    const drawn = drawSizes(source, sizes)
    const causal = source.pick([undefined, undefined, 'top-left', 'bottom-right'] as const)
    const note = causal === undefined ? '' : ` ${causal}`
    return {
      ...drawn,
      seed,
      name: `n${n} ${sizesOf(drawn)}${note}`,
      options: () => (causal ? { causal } : {}),
    }
  })
}
