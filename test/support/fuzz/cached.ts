/**
 * A drawn call over a cache of every type, against the oracle on the numbers that the type makes of keys and values.
 * @module
 */
import type { Attention, AttentionOptions, CacheType, Tensor } from '../../../src/index.ts'
import { KvCache } from '../../../src/index.ts'
import type { OracleTensor } from '../../oracle/types.ts'
import { rounded, TYPES } from '../cache-model.ts'
import { compareBits } from '../compare.ts'
import { build, type FuzzCall } from './build.ts'
import { judged, lookDifferences } from './differ.ts'
import type { Draft } from './draft.ts'
import { type Truth, truthOf } from './truth.ts'

/** A call as the oracle sees it, and the cache that holds its keys and values. */
export interface Cached {
  readonly draft: Draft
  readonly type: CacheType
  readonly call: FuzzCall
  readonly truth: Truth
  readonly cache: KvCache
}

/** A draft over caches, which hold all keys of every item: no ragged batch, no lengths of keys. */
export function cachesOf(drawn: Draft): Cached[] {
  const form = drawn.form === 'ragged' ? 'bhsd' : drawn.form
  const draft: Draft = { ...drawn, form, keyLengths: undefined, storage: 'float32' }
  return TYPES.map(type => cachedAs(type, draft))
}

/** float16 takes half-precision queries too, and NaN where nobody looks; int8 has codes for finite numbers only. */
function cachedAs(type: CacheType, drawn: Draft): Cached {
  const half = type === 'float16' && drawn.seed % 2 === 0
  const draft: Draft = {
    ...drawn,
    ...(half && { storage: 'float16' }),
    ...(type === 'int8' && { poison: 'nowhere' }),
  }
  const call = build(draft)
  const { kvHeads, layout, ...options } = call.options
  const corner = typeof options.causal === 'string'
  // A cache would put the rows that count at its end.
  if (isPositional(options) && !corner) options.queryOffset ??= 0
  const { k, v } = call
  const cache = new KvCache({ ...sizesOf(call), type })
  cache.append(k as Tensor, v as Tensor, layout && { layout })
  const stored = (tensor: OracleTensor): OracleTensor => {
    const channels = channelsOf(tensor, cache.kvHeads)
    return half ? tensor : { ...tensor, data: rounded(type, tensor.data as Float32Array, channels) }
  }
  const seen = { q: call.q, k: stored(k), v: stored(v), options: { ...call.options, ...options } }
  return { draft, type, call: seen, truth: truthOf(seen), cache }
}

const isPositional = ({ causal, window, alibi }: FuzzCall['options']): boolean =>
  Boolean(causal || window || alibi)

const channelsOf = ({ dims }: OracleTensor, kvHeads: number): number =>
  dims.length === 3 ? dims[2] / kvHeads : dims[dims.length - 1]

function sizesOf({ k, v, options }: FuzzCall): ConstructorParameters<typeof KvCache>[0] {
  const { dims } = k
  const heads = { 2: 1, 3: options.kvHeads ?? 1, 4: options.layout === 'bshd' ? dims[2] : dims[1] }
  const kvHeads = heads[dims.length as 2 | 3 | 4]
  const batch = dims.length === 2 ? 1 : dims[0]
  return { batch, kvHeads, headDim: channelsOf(k, kvHeads), valueDim: channelsOf(v, kvHeads) }
}

/** What is wrong with the call on a platform, over each cache. */
export function cacheDifferences(caches: readonly Cached[], api: Attention): string[] {
  return caches.flatMap(one => differencesOf(one, api).map(problem => `${one.type}: ${problem}`))
}

function differencesOf({ draft, call, truth, cache }: Cached, api: Attention): string[] {
  const q = call.q as Tensor
  const { kvHeads, sinks, ...rest } = call.options as AttentionOptions
  const output = api.attention(q, cache, { ...rest, sinks })
  const part = api.attentionPartial(q, cache, rest)
  const over = {
    ...api,
    attentionWeights: (q: Tensor, _k: unknown, _v: unknown, options: object) => {
      const { kvHeads: _, ...look } = options as AttentionOptions
      return api.attentionWeights(q, cache, look)
    },
  } as Attention
  const problems = [
    judged('output', output, truth.outputTruth),
    judged('lse', part.lse, truth.lseTruth),
    ...lookDifferences(draft, call, truth, over),
  ]
  if (sinks === undefined && output.type === 'float32')
    problems.push(
      compareBits('the same as a part', part.output.data as Float32Array, output.data as Float32Array),
    )
  return problems.filter(problem => problem !== undefined)
}
