/**
 * Few query rows against keys around the edges of the chunks that decode kernels cut them into.
 * @module
 */
import type { OracleOptions } from '../oracle/types.ts'
import { type Case, sizesOf } from './cases.ts'
import { fillNormal } from './fill.ts'
import type { Random } from './random.ts'
import { seedOf } from './sweep.ts'

/** Keys of a chunk (native/attention/decode.h). */
export const CHUNK = 1024

type Sizes = Pick<Case, 'heads' | 'kvHeads' | 'queries' | 'keys' | 'headDim' | 'valueDim'>
type Options = (source: Random, s: Sizes) => OracleOptions

const mask = (source: Random, dims: number[], share: number) => ({
  data: Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (source.unit() < share ? 1 : 0)),
  dims,
})

/** Options by name; of each chunk some hide much, or all. */
const OPTIONS: Record<string, Options> = {
  dense: () => ({}),
  causal: (_, { queries, keys }) => ({ causal: true, queryOffset: keys - queries }),
  'causal from the middle': (_, { keys }) => ({ causal: true, queryOffset: keys >> 1 }),
  window: (_, { queries, keys }) => ({ window: { left: 70, right: 2 }, queryOffset: keys - queries - 5 }),
  'lengths, left pad': (_, { keys }) => ({
    keyLengths: Int32Array.of(keys - 3),
    leftPad: Int32Array.of(Math.min(keys >> 1, CHUNK + 3)),
  }),
  keep: (source, { queries, keys }) => ({ keep: mask(source, [queries, keys], 0.4) }),
  'drop all but the last keys': (_, { keys }) => ({
    drop: { data: Uint8Array.from({ length: keys }, (__, j) => (j < keys - 9 ? 1 : 0)), dims: [keys] },
  }),
  'bias, softcap, sinks': (source, { heads, queries, keys }) => ({
    bias: { data: fillNormal(source, queries * keys), dims: [queries, keys] },
    softcap: 4,
    sinks: fillNormal(source, heads),
  }),
  alibi: (_, { queries, keys }) => ({ alibi: true, queryOffset: keys - queries }),
}

function caseOf(s: Sizes, numbers: Case['numbers'], name: string): Case {
  const shape = { ...s, form: 'bhsd', batch: 1, numbers } as const
  const full = `${sizesOf(shape)} ${name}`
  return { ...shape, name: full, seed: seedOf(full, 0), options: source => OPTIONS[name](source, s) }
}

/** Each number of rows with one group, one number of keys and one option after the other. */
export function decodeCases(): Case[] {
  const groups = [1, 2, 3, 4, 5, 7, 8, 16]
  const keys = [CHUNK + 1, CHUNK, CHUNK - 1, 65, 2 * CHUNK + 17, CHUNK + 256, 63]
  const dims = [8, 5, 17, 32, 33, 16, 50]
  const bent = ['normal', 'rising', 'falling', 'large'] as const
  const names = Object.keys(OPTIONS)
  return Array.from({ length: 17 * groups.length }, (_, n) => {
    const group = groups[n % groups.length]
    const size = { queries: 1 + (n % 17), keys: keys[n % keys.length], headDim: dims[n % 5] }
    const kvHeads = group > 4 ? 1 : 2
    const s = { ...size, heads: kvHeads * group, kvHeads, valueDim: dims[(n >> 1) % dims.length] }
    return caseOf(s, bent[(n >> 2) % bent.length], names[n % names.length])
  })
}
