/**
 * Options that decide by position alone: causal forms, offsets, windows, lengths, pads, ragged batches.
 * Some by hand, where the edges are known; the others drawn.
 * @module
 */
import type { OracleOptions } from '../oracle/types.ts'
import { type Case, sizesOf } from './cases.ts'
import { type Random, random } from './random.ts'
import { drawSizes, seedOf } from './sweep.ts'

const RANGE_WORK = 5e5

interface Draft {
  note: string
  queries: number
  keys: number
  batch?: number
  options: OracleOptions
}

const int32 = (...values: number[]): Int32Array => Int32Array.from(values)

const BY_HAND: Draft[] = [
  { note: 'causal square', queries: 65, keys: 65, options: { causal: true } },
  { note: 'top-left, more keys', queries: 17, keys: 65, options: { causal: 'top-left' } },
  { note: 'top-left, more rows', queries: 65, keys: 17, options: { causal: 'top-left' } },
  { note: 'bottom-right, more keys', queries: 17, keys: 65, options: { causal: 'bottom-right' } },
  { note: 'bottom-right, first rows empty', queries: 65, keys: 17, options: { causal: 'bottom-right' } },
  { note: 'offset 40', queries: 9, keys: 64, options: { causal: true, queryOffset: 40 } },
  { note: 'offset beyond the keys', queries: 9, keys: 33, options: { causal: true, queryOffset: 500 } },
  { note: 'negative offset', queries: 48, keys: 33, options: { causal: true, queryOffset: -20 } },
  {
    note: 'offset that empties every row',
    queries: 9,
    keys: 33,
    options: { causal: true, queryOffset: -1000 },
  },
  {
    note: 'offsets per item',
    queries: 24,
    keys: 49,
    batch: 3,
    options: { causal: true, queryOffset: int32(-9, 0, 30) },
  },
  { note: 'window left', queries: 70, keys: 70, options: { window: { left: 5 } } },
  { note: 'window right', queries: 70, keys: 70, options: { window: { right: 5 } } },
  { note: 'window both', queries: 130, keys: 130, options: { window: { left: 31, right: 16 } } },
  { note: 'window of one key', queries: 33, keys: 33, options: { window: { left: 0, right: 0 } } },
  {
    note: 'window wider than the keys',
    queries: 33,
    keys: 33,
    options: { window: { left: 4000, right: 4000 } },
  },
  { note: 'causal window', queries: 129, keys: 129, options: { causal: true, window: { left: 47 } } },
  {
    note: 'causal window, bottom-right',
    queries: 20,
    keys: 300,
    options: { causal: 'bottom-right', window: { left: 64 } },
  },
  {
    note: 'window past the last key',
    queries: 40,
    keys: 20,
    options: { window: { left: 3, right: 3 }, queryOffset: 0 },
  },
  {
    note: 'window before the first key',
    queries: 40,
    keys: 20,
    options: { window: { left: 3, right: 3 }, queryOffset: -25 },
  },
  { note: 'key lengths', queries: 9, keys: 65, batch: 4, options: { keyLengths: int32(0, 1, 33, 65) } },
  { note: 'query lengths', queries: 33, keys: 17, batch: 4, options: { queryLengths: int32(0, 1, 17, 33) } },
  { note: 'left pad', queries: 9, keys: 65, batch: 4, options: { leftPad: int32(0, 1, 40, 65) } },
  {
    note: 'all lengths, bottom-right',
    queries: 20,
    keys: 64,
    batch: 3,
    options: {
      causal: 'bottom-right',
      keyLengths: int32(64, 31, 5),
      queryLengths: int32(20, 3, 20),
      leftPad: int32(0, 30, 2),
    },
  },
  {
    note: 'all lengths, causal window and offsets',
    queries: 31,
    keys: 47,
    batch: 2,
    options: {
      causal: true,
      queryOffset: int32(16, -4),
      window: { left: 9 },
      keyLengths: int32(40, 47),
      queryLengths: int32(31, 30),
      leftPad: int32(7, 0),
    },
  },
]

export function rangeCases(): Case[] {
  return [...byHand(), ...drawn(48), ...ragged(16)]
}

function byHand(): Case[] {
  return BY_HAND.map(({ note, queries, keys, batch, options }, n) => {
    const seed = seedOf('ranges', n)
    const fixed = { queries, keys, ...(batch && { batch }), numbers: 'normal' as const }
    let sizes = drawSizes(random(seed), fixed, RANGE_WORK)
    if (batch !== undefined && sizes.form === 'rank2') sizes = { ...sizes, form: 'bhsd', batch }
    return { ...sizes, seed, name: `n${n} ${note}: ${sizesOf(sizes)}`, options: () => ({ ...options }) }
  })
}

function drawn(count: number): Case[] {
  return Array.from({ length: count }, (_, n) => {
    const seed = seedOf('ranges drawn', n)
    const source = random(seed)
    const sizes = drawSizes(source, { queries: source.below(80), keys: source.below(150) }, RANGE_WORK)
    const { options, note } = drawRanges(source, sizes.batch, sizes.queries, sizes.keys)
    return { ...sizes, seed, name: `drawn n${n} ${sizesOf(sizes)} ${note}`, options: () => ({ ...options }) }
  })
}

/** Options that fit sizes, and how a name tells them. */
export function drawRanges(
  source: Random,
  batch: number,
  queries: number,
  keys: number,
): { options: OracleOptions; note: string } {
  const options: OracleOptions = {}
  const coin = (): boolean => source.below(2) === 0
  if (coin()) options.causal = source.pick(['top-left', 'bottom-right', true] as const)
  if (coin()) options.window = drawWindow(source, keys)
  const positional = options.causal === true || (options.window && options.causal === undefined)
  if (positional && (queries !== keys || coin())) {
    const offset = (): number => source.below(queries + keys + 1) - queries
    options.queryOffset = coin() ? offset() : Int32Array.from({ length: batch }, offset)
  }
  if (coin()) options.keyLengths = Int32Array.from({ length: batch }, () => source.below(keys + 1))
  if (coin()) options.queryLengths = Int32Array.from({ length: batch }, () => source.below(queries + 1))
  if (coin())
    options.leftPad = Int32Array.from({ length: batch }, () => source.below(Math.ceil(keys / 2) + 1))
  return { options, note: noteOf(options) }
}

function drawWindow(source: Random, keys: number): { left?: number; right?: number } {
  const sides = source.below(3)
  return {
    ...(sides !== 1 && { left: source.below(keys + 2) }),
    ...(sides !== 0 && { right: source.below(keys + 2) }),
  }
}

function noteOf(options: OracleOptions): string {
  const { causal, window, queryOffset, keyLengths, queryLengths, leftPad } = options
  const words = [
    causal && `causal ${causal}`,
    window && `window ${window.left ?? 'open'}:${window.right ?? 'open'}`,
    queryOffset !== undefined && `offset ${queryOffset}`,
    keyLengths && `keyLengths ${keyLengths}`,
    queryLengths && `queryLengths ${queryLengths}`,
    leftPad && `leftPad ${leftPad}`,
  ]
  return words.filter(word => word).join(', ')
}

/** Sequences of their own lengths in one row of tokens, some empty on either side. */
function ragged(count: number): Case[] {
  return Array.from({ length: count }, (_, n) => {
    const seed = seedOf('ragged', n)
    const source = random(seed)
    const items = 1 + source.below(5)
    const square = source.below(2) === 0
    const queryCounts = Array.from({ length: items }, () => source.pick([0, 1, 5, 16, 17, 40]))
    const keyCounts = square ? queryCounts : queryCounts.map(() => source.pick([0, 1, 7, 33, 64]))
    const starts = { q: sums(queryCounts), k: sums(keyCounts) }
    const fixed = { form: 'ragged' as const, batch: 1, queries: starts.q[items], keys: starts.k[items] }
    const sizes = { ...drawSizes(source, fixed, RANGE_WORK), ragged: starts }
    const options: OracleOptions = {}
    const causal = source.below(3)
    if (causal === 1) options.causal = square ? true : 'bottom-right'
    if (causal === 2) {
      options.window = { left: 6, right: 2 }
      options.queryOffset = Int32Array.from(keyCounts, (count, b) => count - queryCounts[b])
    }
    const name = `ragged n${n} ${sizesOf(sizes)} q ${starts.q} k ${starts.k} ${noteOf(options)}`
    return { ...sizes, seed, name, options: () => ({ ...options }) }
  })
}

function sums(counts: number[]): Int32Array {
  let total = 0
  return Int32Array.from([0, ...counts.map(count => (total += count))])
}
