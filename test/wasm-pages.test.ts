/**
 * Keys in pages, and first keys that no window hides, as caches hand them over: the bits of the same keys in one piece.
 * @module
 */
import { describe, expect, test } from 'vitest'
import {
  type Arrays,
  Feature,
  ITEM_WORDS,
  makePlan,
  OPEN,
  Output,
  PAGE_KEYS,
  PLAN_WORDS,
  type Plan,
  rowRange,
  ScoresAt,
} from '../src/attention/plan.ts'
import { openWasm } from '../src/backends/wasm.ts'
import { compileInline } from '../src/backends/wasm-inline.ts'
import { supportsWasm } from '../src/backends/wasm-probe.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { type Random, random } from './support/random.ts'
import { seedOf } from './support/sweep.ts'
import './support/replay.ts'

type Words = Record<(typeof PLAN_WORDS)[number], number>

interface Scene {
  readonly words: Words
  readonly items: Int32Array
  readonly arrays: Arrays
}

const DIM = 12
const VALUE_DIM = 7
const RESULTS = ['out', 'lse', 'weights', 'scores', 'mass'] as const

/** Two sequences of unequal length in one piece each, with masks and outputs of every kind. */
function scene(source: Random): Scene {
  const batch = 2
  const kvHeads = 1 + source.below(2)
  const heads = kvHeads * (1 + source.below(3))
  const queries = source.pick([1, 5, 40])
  const keys = 64 + source.below(400)
  const window = source.pick([OPEN, 0, 30, 70])
  const words = Object.fromEntries(PLAN_WORDS.map(name => [name, 0])) as Words
  Object.assign(words, { batch, heads, kvHeads, queries, keys, headDim: DIM, valueDim: VALUE_DIM })
  Object.assign(words, { qBatch: heads * queries * DIM, qHead: queries * DIM, qRow: DIM })
  Object.assign(words, { oBatch: heads * queries * VALUE_DIM, oHead: queries * VALUE_DIM, oRow: VALUE_DIM })
  Object.assign(words, { kBatch: kvHeads * keys * DIM, kHead: keys * DIM, kRow: DIM })
  Object.assign(words, { vBatch: kvHeads * keys * VALUE_DIM, vHead: keys * VALUE_DIM, vRow: VALUE_DIM })
  Object.assign(words, { lseBatch: heads * queries, lseHead: queries, lseRow: 1, scale: 0.4, threads: 1 })
  Object.assign(words, { left: window, right: 0, sinkTokens: source.pick([0, 1, 4, 64, 70]) })
  Object.assign(words, {
    weightsBatch: heads * queries * keys,
    weightsHead: queries * keys,
    weightsRow: keys,
  })
  Object.assign(words, { massBatch: heads * keys, massHead: keys, keepRow: keys, keepKey: 1 })
  words.outputs = Output.output | Output.lse | Output.weights | Output.scores | Output.mass
  words.scoresAt = source.pick([ScoresAt.scaled, ScoresAt.masked])
  words.features = Feature.weights | Feature.scores | Feature.mass
  const keep = source.below(2)
    ? Uint8Array.from({ length: queries * keys }, () => source.below(3))
    : undefined
  if (keep) words.features |= Feature.keep
  const items = [0, 1].flatMap(() => {
    const end = 1 + source.below(keys)
    return [0, queries, queries, 0, keys, source.below(2) ? source.below(5) : 0, end, end - queries]
  })
  const arrays: Arrays = {
    q: fillNormal(source, batch * heads * queries * DIM),
    k: fillNormal(source, batch * kvHeads * keys * DIM),
    v: fillNormal(source, batch * kvHeads * keys * VALUE_DIM),
    keep,
    out: new Float32Array(batch * heads * queries * VALUE_DIM),
    lse: new Float32Array(batch * heads * queries),
    weights: new Float32Array(batch * heads * queries * keys),
    scores: new Float32Array(batch * heads * queries * keys),
    mass: new Float32Array(batch * heads * keys),
  }
  return { words, items: Int32Array.from(items), arrays }
}

/** Of a copy of the words: they become the plan. */
const planOf = ({ words, items }: Scene): Plan => makePlan({ ...words }, items)

/** Whether a row of an item sees a key, by the words of the plan. */
function sees(plan: Plan, item: number, row: number, key: number): boolean {
  const [low, high] = rowRange(plan, item, row)
  const begin = plan.items[item * ITEM_WORDS.length + 5]
  return (key >= low && key < high) || (key >= begin && key < Math.min(plan.sinkTokens, high))
}

/** The same keys and values in pages, in any order, between pages of NaN. Blocks that nobody needs have no page. */
function paged(flat: Scene, source: Random, everyKey: boolean): Scene {
  const plan = planOf(flat)
  const { batch, kvHeads, keys, queries } = plan
  const pageKeys = PAGE_KEYS * (1 + source.below(2))
  const pagesPerItem = Math.ceil(keys / pageKeys) + source.below(2)
  const pool = source.shuffle(Array.from({ length: batch * pagesPerItem + 3 }, (_, page) => page))
  const kPage = kvHeads * pageKeys * DIM
  const vPage = kvHeads * pageKeys * VALUE_DIM
  const k = new Float32Array(pool.length * kPage).fill(Number.NaN)
  const v = new Float32Array(pool.length * vPage).fill(Number.NaN)
  const pages = new Int32Array(batch * pagesPerItem).fill(-1)
  const needed = (item: number, key: number): boolean =>
    everyKey || Array.from({ length: queries }, (_, row) => row).some(row => sees(plan, item, row, key))
  for (let item = 0; item < batch; item++) {
    for (let key = 0; key < keys; key++) {
      if (!needed(item, key)) continue
      const at = item * pagesPerItem + Math.floor(key / pageKeys)
      if (pages[at] < 0) pages[at] = pool.pop()!
      for (let head = 0; head < kvHeads; head++) {
        const place = head * pageKeys + (key % pageKeys)
        const from = (item * kvHeads + head) * keys + key
        k.set(flat.arrays.k.subarray(from * DIM, (from + 1) * DIM), pages[at] * kPage + place * DIM)
        const values = flat.arrays.v.subarray(from * VALUE_DIM, (from + 1) * VALUE_DIM)
        v.set(values, pages[at] * vPage + place * VALUE_DIM)
      }
    }
  }
  const places = { kBatch: 0, vBatch: 0, kHead: pageKeys * DIM, vHead: pageKeys * VALUE_DIM }
  return {
    words: { ...flat.words, ...places, pageKeys, pagesPerItem, kPage, vPage },
    items: flat.items,
    arrays: { ...fresh(flat.arrays), k, v, pages },
  }
}

/** The same window and first keys as a mask. */
function masked(flat: Scene): Scene {
  const plan = planOf(flat)
  const { batch, queries, keys } = plan
  const keep = new Uint8Array(batch * queries * keys)
  for (let item = 0; item < batch; item++) {
    for (let row = 0; row < queries; row++) {
      for (let key = 0; key < keys; key++) {
        const kept = flat.arrays.keep === undefined || flat.arrays.keep[row * keys + key] !== 0
        keep[(item * queries + row) * keys + key] = kept && sees(plan, item, row, key) ? 1 : 0
      }
    }
  }
  return {
    words: {
      ...flat.words,
      ...{ left: OPEN, right: OPEN, sinkTokens: 0, keepBatch: queries * keys },
      features: flat.words.features | Feature.keep,
    },
    items: flat.items,
    arrays: { ...fresh(flat.arrays), keep },
  }
}

function fresh(arrays: Arrays): Arrays {
  const results = RESULTS.map(name => [name, new Float32Array(arrays[name]!.length).fill(9)])
  return { ...arrays, ...Object.fromEntries(results) }
}

const variants = (['simd', 'relaxed'] as const).filter(variant => supportsWasm(variant) === undefined)

describe.each(variants)('wasm-%s', variant => {
  const backend = openWasm(variant, compileInline(variant))
  const run = (given: Scene): void => backend.run(planOf(given), given.arrays)
  const compare = (a: Scene, b: Scene): void => {
    for (const name of RESULTS)
      expect(
        compareBits(name, a.arrays[name] as Float32Array, b.arrays[name] as Float32Array),
      ).toBeUndefined()
  }

  test.each(Array.from({ length: 40 }, (_, n) => n))('pages, n%i', n => {
    const source = random(seedOf('pages', n))
    const flat = scene(source)
    const pool = paged(flat, source, flat.words.scoresAt === ScoresAt.scaled)
    run(flat)
    run(pool)
    compare(flat, pool)
  })

  test.each(Array.from({ length: 40 }, (_, n) => n))('first keys, n%i', n => {
    const flat = scene(random(seedOf('first keys', n)))
    const mask = masked(flat)
    run(flat)
    run(mask)
    compare(flat, mask)
  })

  test('scores of keys that have no page are left out', () => {
    const source = random(5)
    const flat = scene(source)
    flat.words.scoresAt = ScoresAt.scaled
    const pool = paged(flat, source, false)
    pool.arrays.pages!.fill(-1)
    for (let item = 0; item < 2; item++) pool.items.set([0, 0], item * ITEM_WORDS.length + 5)
    run(pool)
    expect(pool.arrays.scores!.every(score => score === Number.NEGATIVE_INFINITY)).toBe(true)
    expect((pool.arrays.out as Float32Array).every(x => x === 0)).toBe(true)
  })
})
