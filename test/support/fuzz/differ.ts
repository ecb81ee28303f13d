/**
 * One drawn call on one platform against the oracle: every public way to ask for it.
 * @module
 */
import type { Attention, AttentionOptions, Partial, Tensor, WeightsOptions } from '../../../src/index.ts'
import { numbersOf } from '../../oracle/half.ts'
import type { OracleOptions } from '../../oracle/types.ts'
import { guardedOutput } from '../check.ts'
import { compareBits } from '../compare.ts'
import { build, type FuzzCall } from './build.ts'
import type { Draft } from './draft.ts'
import { lookOf, massTruth, matrixTruth } from './look.ts'
import { judge, type Truth, truthOf } from './truth.ts'

export interface Prepared {
  readonly call: FuzzCall
  readonly truth: Truth
}

/** The call and its truth, which all platforms share. */
export function prepareDraft(draft: Draft): Prepared {
  const call = build(draft)
  return { call, truth: truthOf(call) }
}

export const judged = (
  label: string,
  tensor: Tensor,
  truth: Parameters<typeof judge>[2],
): string | undefined => judge(label, numbersOf(tensor), truth, tensor.type)

/** What is wrong with a call on a platform; nothing where all is well. */
export function differences(draft: Draft, { call, truth }: Prepared, api: Attention): string[] {
  const { q, k, v } = call as unknown as Record<'q' | 'k' | 'v', Tensor>
  const options = call.options as AttentionOptions
  const problems: (string | undefined)[] = []
  const output = api.attention(q, k, v, options)
  problems.push(judged('output', output, truth.outputTruth))
  if (`${output.dims}` !== `${truth.outputDims}`) problems.push(`dims ${output.dims}`)
  if (output.type === 'float32') {
    const guarded = guardedOutput(truth.outputDims)
    api.attention(q, k, v, { ...options, out: { data: guarded.data, dims: truth.outputDims } })
    problems.push(...guarded.problems())
    problems.push(compareBits('the same into out', guarded.data, output.data as Float32Array))
  }
  problems.push(...partDifferences(draft, call, truth, api, output))
  problems.push(...lookDifferences(draft, call, truth, api))
  return problems.filter(problem => problem !== undefined)
}

/** As a part of all keys, and as parts between the cuts, merged. */
function partDifferences(
  { cuts }: Draft,
  { q, k, v, options }: FuzzCall,
  truth: Truth,
  api: Attention,
  output: Tensor,
): (string | undefined)[] {
  const { sinks, ...rest } = options
  const partial = (ranges: OracleOptions): Partial =>
    api.attentionPartial(q as Tensor, k as Tensor, v as Tensor, { ...rest, ...ranges } as AttentionOptions)
  const whole = partial({})
  const problems = [judged('lse', whole.lse, truth.lseTruth)]
  if (sinks === undefined && output.type === 'float32') {
    const data = whole.output.data as Float32Array
    problems.push(compareBits('the same as a part', data, output.data as Float32Array))
  }
  const { items } = truth.shape
  const edges = [0, ...cuts.toSorted((a, b) => a - b), 100]
  const parts = edges.slice(1).map((edge, n) => {
    const at = (percent: number) => items.map(({ keys }) => Math.floor((keys * percent) / 100))
    const [from, to] = [at(edges[n]), at(edge)]
    return partial({
      ...explicitPositions(options, truth),
      leftPad: Int32Array.from(items, (item, b) => Math.max(item.keyBegin, from[b])),
      keyLengths: Int32Array.from(items, (item, b) => Math.min(item.keyEnd, to[b])),
    })
  })
  const merged = api.mergePartials(parts, sinks && { sinks })
  problems.push(judged(`output of ${parts.length} parts`, merged.output, truth.outputTruth))
  problems.push(judged(`lse of ${parts.length} parts`, merged.lse, truth.lseTruth))
  return problems
}

/** The corners as offsets, for they follow the lengths, which a part has of its own. */
export function explicitPositions({ causal }: OracleOptions, { shape }: Pick<Truth, 'shape'>): OracleOptions {
  if (causal === 'top-left') return { causal: true, queryOffset: 0 }
  if (causal !== 'bottom-right') return {}
  return {
    causal: true,
    queryOffset: Int32Array.from(shape.items, ({ keyEnd, queryRows }) => keyEnd - queryRows),
  }
}

export function lookDifferences(
  draft: Draft,
  call: FuzzCall,
  truth: Truth,
  api: Attention,
): (string | undefined)[] {
  const { q, k, v } = call as unknown as Record<'q' | 'k' | 'v', Tensor>
  const look = lookOf(draft, call, truth)
  const seen = api.attentionWeights(q, k, v, { ...call.options, ...look } as WeightsOptions)
  return [
    judged('output of a look', seen.output, truth.outputTruth),
    judged('lse of a look', seen.lse, truth.lseTruth),
    ...(['weights', 'scores'] as const).map(name =>
      look.want.includes(name) ? judged(name, seen[name]!, matrixTruth(truth, name, look)) : undefined,
    ),
    look.want.includes('mass') ? judged('mass', seen.mass!, massTruth(call, truth, look)) : undefined,
  ]
}
