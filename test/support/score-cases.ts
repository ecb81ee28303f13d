/**
 * Options that change single scores: keep, drop, bias, ALiBi, softcap, sinks; alone and all together,
 * over the ranges of positions, grouped heads and every broadcast shape.
 * @module
 */
import type { OracleOptions, OracleTensor } from '../oracle/types.ts'
import { type Case, sizesOf } from './cases.ts'
import { fillNormal } from './fill.ts'
import { type Random, random } from './random.ts'
import { drawRanges } from './range-cases.ts'
import { drawSizes, seedOf } from './sweep.ts'

const SCORE_WORK = 2e5

/** The shapes a mask may have: lower ranks align to the right, axes of size 1 broadcast, the key axis is full. */
const SPREADS = ['bhqk', 'b11k', '1h1k', 'b1qk', 'hqk', '1qk', 'qk', '1k', 'k'] as const
type Spread = (typeof SPREADS)[number]

const FEATURES = [
  'softcap',
  'keep',
  'keep bits',
  'drop',
  'drop bits',
  'bias',
  'alibi',
  'alibi slopes',
  'sinks',
] as const
type FeatureNote = (typeof FEATURES)[number]

function dimsOf(spread: Spread, sizes: Pick<Case, 'batch' | 'heads' | 'queries' | 'keys'>): number[] {
  const size = { b: sizes.batch, h: sizes.heads, q: sizes.queries, k: sizes.keys, 1: 1 }
  return [...spread].map(axis => size[axis as keyof typeof size])
}

const product = (dims: number[]): number => dims.reduce((size, dim) => size * dim, 1)

/** A boolean mask with a share of ones; any byte but 0 is true. */
function byteMask(source: Random, dims: number[], share: number): OracleTensor {
  const data = Uint8Array.from({ length: product(dims) }, () =>
    source.unit() < share ? 1 + source.below(255) : 0,
  )
  return { data, dims }
}

/** The same in words; the bits behind the last key are noise that nobody may read. */
function bitMask(source: Random, dims: number[], share: number): OracleTensor {
  const keys = dims[dims.length - 1]
  const rows = product(dims.slice(0, -1))
  const width = Math.ceil(keys / 32)
  const data = Uint32Array.from({ length: rows * width }, () => source.word())
  for (let row = 0; row < rows; row++) {
    for (let key = 0; key < keys; key++) {
      const bit = 1 << (key % 32)
      const at = row * width + Math.floor(key / 32)
      if (source.unit() < share) data[at] |= bit
      else data[at] &= ~bit
    }
  }
  return { data, dims, bits: true }
}

function biasTensor(source: Random, dims: number[]): OracleTensor {
  const data = fillNormal(source, product(dims))
  for (let i = 0; i < data.length; i++) if (source.below(6) === 0) data[i] = Number.NEGATIVE_INFINITY
  // The lowest finite number is no mask: it stays arithmetic.
  if (data.length > 2) data[source.below(data.length)] = -1e4
  return { data, dims }
}

function addFeature(
  options: OracleOptions,
  feature: FeatureNote,
  spread: Spread,
  sizes: Case,
  source: Random,
): void {
  const dims = dimsOf(spread, sizes)
  if (feature === 'softcap') options.softcap = 1 + 4 * source.unit()
  if (feature === 'keep') options.keep = byteMask(source, dims, 0.7)
  if (feature === 'keep bits') options.keep = bitMask(source, dims, 0.7)
  if (feature === 'drop') options.drop = byteMask(source, dims, 0.3)
  if (feature === 'drop bits') options.drop = bitMask(source, dims, 0.3)
  if (feature === 'bias') options.bias = biasTensor(source, dims)
  if (feature === 'alibi') options.alibi = true
  if (feature === 'alibi slopes') options.alibi = fillNormal(source, sizes.heads).map(Math.abs)
  if (feature === 'sinks') options.sinks = fillNormal(source, sizes.heads).map(x => 2 * x)
}

/** ALiBi needs to know where the queries stand. */
function settlePositions(options: OracleOptions, sizes: Case): void {
  const told =
    options.causal === 'top-left' || options.causal === 'bottom-right' || options.queryOffset !== undefined
  if (!options.alibi || told) return
  if (sizes.queries !== sizes.keys) options.queryOffset = sizes.keys - sizes.queries
}

function makeCase(list: string, n: number, features: FeatureNote[], ranges: boolean): Case {
  const seed = seedOf(list, n)
  const source = random(seed)
  const fixed = { queries: source.below(40), keys: 1 + source.below(70) }
  const sizes = drawSizes(source, fixed, SCORE_WORK)
  const drawn = ranges
    ? drawRanges(source, sizes.batch, sizes.queries, sizes.keys)
    : { options: {}, note: '' }
  const spread = SPREADS[(n + source.below(2)) % SPREADS.length]
  const name = `${list} n${n} ${features.join(', ')} over ${spread}: ${sizesOf(sizes)} ${drawn.note}`.trim()
  const c: Case = { ...sizes, seed, name, options: () => ({}) }
  c.options = inner => {
    const options: OracleOptions = { ...drawn.options }
    for (const feature of features) addFeature(options, feature, spread, c, inner)
    settlePositions(options, c)
    return options
  }
  return c
}

/** Every feature over several shapes, then mixtures of them with each other and with ranges. */
export function scoreCases(): Case[] {
  const single = FEATURES.flatMap((feature, n) =>
    feature.includes('keep') || feature.includes('drop') || feature === 'bias'
      ? SPREADS.map((_, m) => makeCase(`${feature}`, m, [feature], false))
      : [makeCase('alone', n, [feature], false), makeCase('alone in ranges', n, [feature], true)],
  )
  const mixed = Array.from({ length: 24 }, (_, n) => {
    const source = random(seedOf('mixture', n))
    const taken = source.shuffle(FEATURES).slice(0, 2 + source.below(4))
    // One of each pair of twins.
    const features = taken.filter(
      (feature, at) => !taken.some((other, before) => before < at && sameOption(feature, other)),
    )
    return makeCase('mixed', n, features, true)
  })
  return [...single, ...mixed]
}

function sameOption(a: string, b: string): boolean {
  return a.split(' ')[0] === b.split(' ')[0]
}
