/**
 * From a draft to the call that it stands for.
 * @module
 */
import type { OracleOptions, OracleTensor } from '../../oracle/types.ts'
import { dimsOf } from '../cases.ts'
import { bendScores, fillNormal } from '../fill.ts'
import { type Random, random } from '../random.ts'
import type { Draft } from './draft.ts'
import { biasTensor, boolMask, type SpreadSizes } from './masks.ts'
import { poison } from './poison.ts'
import { stored } from './storage.ts'

export interface FuzzCall {
  q: OracleTensor
  k: OracleTensor
  v: OracleTensor
  options: OracleOptions
}

/** Sizes that the oracle can afford, as a draft's own may be large all at once. */
export interface Fitted {
  form: Draft['form']
  batch: number
  heads: number
  kvHeads: number
  queries: number
  keys: number
  headDim: number
  valueDim: number
  numbers: Draft['numbers']
  /** Rows and keys of each item. */
  items: readonly (readonly [rows: number, keys: number])[]
}

/** Multiply-adds that a call may cost, as the oracle evaluates each three times; every eighth may cost more. */
const mostWork = ({ seed }: Draft): number => (seed % 8 === 0 ? 150_000 : 30_000)

/** The sizes of a draft; where they cost too much, one after the other gives way, keys and rows last. */
export function fitSizes(draft: Draft): Fitted {
  const one = draft.form === 'rank2'
  const ragged = draft.form === 'ragged'
  let { batch, kvHeads, group, headDim } = one ? { ...draft, batch: 1, kvHeads: 1, group: 1 } : draft
  let valueDim = draft.valueDim || headDim
  let sequences = ragged
    ? draft.sequences.map(([rows, keys]): [number, number] => [rows, draft.square ? rows : keys])
    : [[draft.queries, draft.keys] as [number, number]]
  const pairs = (): number => sequences.reduce((sum, [rows, keys]) => sum + rows * keys, 0)
  const costs = (): boolean => batch * kvHeads * group * pairs() * (headDim + valueDim) > mostWork(draft)
  if (ragged) batch = 1
  if (costs()) batch = Math.min(batch, 2)
  if (costs()) group = Math.min(group, 2)
  if (costs()) kvHeads = 1
  if (costs()) headDim = 1 + (headDim % 18)
  if (costs()) valueDim = 1 + (valueDim % 18)
  if (costs()) batch = 1
  if (costs()) group = 1
  for (let n = 0; costs(); n++)
    sequences = sequences.map(([rows, keys]) =>
      n % 2
        ? [rows, draft.square && ragged ? rows : keys >> 1]
        : [rows >> 1, draft.square && ragged ? rows >> 1 : keys],
    )
  const total = (side: 0 | 1): number => sequences.reduce((sum, sequence) => sum + sequence[side], 0)
  return {
    form: draft.form,
    batch,
    heads: kvHeads * group,
    kvHeads,
    queries: ragged ? total(0) : sequences[0][0],
    keys: ragged ? total(1) : sequences[0][1],
    headDim,
    valueDim,
    numbers: draft.numbers,
    items: ragged ? sequences : Array.from({ length: batch }, () => sequences[0]),
  }
}

/** Each tensor has numbers of its own, so that a draft loses one option without changing the others. */
function stream({ seed }: Draft, name: string): Random {
  let own = seed
  for (const letter of name) own = Math.imul(own ^ letter.charCodeAt(0), 0x01000193)
  return random(own)
}

export function build(draft: Draft): FuzzCall {
  const sizes = fitSizes(draft)
  const tensor = (name: string, heads: number, rows: number, channels: number) => ({
    data: fillNormal(stream(draft, name), sizes.batch * heads * rows * channels),
    dims: dimsOf(sizes, heads, rows, channels),
  })
  const q = tensor('q', sizes.heads, sizes.queries, sizes.headDim)
  const k = tensor('k', sizes.kvHeads, sizes.keys, sizes.headDim)
  const v = tensor('v', sizes.kvHeads, sizes.keys, sizes.valueDim)
  bendScores(sizes, q.data, k.data)
  const [qType, kvType = qType] = draft.storage.split(' on ') as OracleTensor['type'][]
  const call = {
    q: stored(q, qType),
    k: stored(k, kvType),
    v: stored(v, kvType),
    options: { ...formOptions(sizes), ...rangeOptions(draft, sizes), ...scoreOptions(draft, sizes) },
  }
  poison(call, draft.poison, stream(draft, 'poison'))
  return call
}

function formOptions({ form, heads, kvHeads, items }: Fitted): OracleOptions {
  if (form === 'bshd') return { layout: 'bshd' }
  if (form === 'rank3') return { heads, kvHeads }
  if (form !== 'ragged') return {}
  return { cuSeqlens: { q: starts(items.map(([rows]) => rows)), k: starts(items.map(([, keys]) => keys)) } }
}

function starts(counts: readonly number[]): Int32Array {
  let total = 0
  return Int32Array.from([0, ...counts.map(count => (total += count))])
}

/** Everything that decides by position. */
function rangeOptions(draft: Draft, { items }: Fitted): OracleOptions {
  const options: OracleOptions = {}
  const folded = (values: readonly number[] | undefined, most: (rows: number, keys: number) => number) =>
    values && Int32Array.from(items, ([rows, keys], b) => values[b % values.length] % (most(rows, keys) + 1))
  const { causal, left, right, alibi, offsets } = draft
  if (causal) options.causal = causal
  if (left !== undefined || right !== undefined)
    options.window = { ...(left !== undefined && { left }), ...(right !== undefined && { right }) }
  const corner = causal === 'top-left' || causal === 'bottom-right'
  const positional = causal === true || options.window !== undefined || alibi !== undefined
  if (positional && !corner) {
    if (offsets) {
      // From rows that all stand before the first key to rows that all stand behind the last.
      const all = folded(offsets, (rows, keys) => rows + keys + 8)!.map(
        (offset, b) => offset - items[b][0] - 4,
      )
      options.queryOffset = offsets.length === 1 && all.length > 0 ? all[0] : all
    } else if (items.some(([rows, keys]) => rows !== keys)) {
      options.queryOffset = Int32Array.from(items, ([rows, keys]) => keys - rows)
    }
  }
  const keyLengths = folded(draft.keyLengths, (_, keys) => keys)
  const queryLengths = folded(draft.queryLengths, rows => rows)
  const leftPad = folded(draft.leftPad, (_, keys) => keys)
  return {
    ...options,
    ...(keyLengths && { keyLengths }),
    ...(queryLengths && { queryLengths }),
    ...(leftPad && { leftPad }),
  }
}

/** Everything that changes single scores. */
function scoreOptions(draft: Draft, sizes: Fitted): OracleOptions {
  const { keep, drop, bias, alibi, sinks, scale, softcap } = draft
  const spread: SpreadSizes = { b: sizes.batch, h: sizes.heads, q: sizes.queries, k: sizes.keys, 1: 1 }
  const normals = (name: string): Float32Array => fillNormal(stream(draft, name), sizes.heads)
  return {
    ...(scale !== undefined && { scale }),
    ...(softcap !== undefined && { softcap }),
    ...(keep && { keep: boolMask(stream(draft, 'keep'), keep, spread) }),
    ...(drop && { drop: boolMask(stream(draft, 'drop'), drop, spread) }),
    ...(bias && { bias: biasTensor(stream(draft, 'bias'), bias, spread) }),
    ...(alibi && { alibi: alibi === 'standard' ? (true as const) : normals('alibi').map(Math.abs) }),
    // A sink of -Infinity is none.
    ...(sinks && { sinks: normals('sinks').map(x => (x > 1.5 ? Number.NEGATIVE_INFINITY : 3 * x)) }),
  }
}
