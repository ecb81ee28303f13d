/**
 * nn.MultiheadAttention with its masks (test/oracle/record-torch-mha.py), translated as a user would:
 * boolean masks there say what to ignore, which is `drop`; both at once are `drop` and, turned around, `keep`;
 * a float attn_mask is `bias`; add_zero_attn is a sink with logit 0.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { MaskTensor, Tensor, WeightsOptions } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions } from './oracle/types.ts'
import { outputTruth } from './support/check.ts'
import { compare } from './support/compare.ts'
import { namedPlatforms } from './support/platforms.ts'
import { type Packed, readRecording, unpack } from './support/torch-cases.ts'
import './support/replay.ts'

interface Case {
  readonly name: string
  readonly heads: number
  readonly average: boolean
  readonly zero: boolean
  readonly masks: { readonly attn_mask?: Packed; readonly key_padding_mask?: Packed }
  readonly q: Packed
  readonly k: Packed
  readonly v: Packed
  readonly output: Packed
  readonly weights?: Packed
}

const { made, cases } = readRecording<Case>('mha')

function optionsOf({ heads, zero, masks }: Case): WeightsOptions {
  const attn = masks.attn_mask && unpack(masks.attn_mask)
  const padding = masks.key_padding_mask && unpack(masks.key_padding_mask)
  // [batch * heads, queries, keys] there is [batch, heads, queries, keys] here.
  const dims =
    attn && (attn.dims.length === 2 ? attn.dims : [attn.dims[0] / heads, heads, ...attn.dims.slice(1)])
  const ofKeys = padding && {
    data: padding.data as unknown as Uint8Array,
    dims: [padding.dims[0], 1, 1, padding.dims[1]],
  }
  const floats = masks.attn_mask?.type === 'float32'
  return {
    heads,
    ...(zero && { sinks: new Float32Array(heads) }),
    ...(attn && (floats ? { bias: { data: attn.data, dims: dims! } } : { drop: { ...attn, dims } as never })),
    ...(ofKeys &&
      (attn ? { keep: { ...ofKeys, data: ofKeys.data.map(x => 1 - x) } } : { drop: ofKeys as MaskTensor })),
  }
}

/** [batch, heads, queries, keys] to [batch, queries, keys]. */
function averaged(
  weights: ArrayLike<number>,
  [batch, heads, queries, keys]: readonly number[],
): Float64Array {
  const mean = new Float64Array(batch * queries * keys)
  const plane = queries * keys
  for (let at = 0; at < weights.length; at++) {
    const item = Math.floor(at / plane / heads)
    mean[item * plane + (at % plane)] += weights[at] / heads
  }
  return mean
}

test('the recording is whole, and says what made it', () => {
  expect(cases.length).toBe(13)
  expect(made.torch).toMatch(/^2\.13\./)
})

describe.each(cases.map(c => [c.name, c] as const))('%s', (_, c) => {
  const [q, k, v] = [c.q, c.k, c.v].map(unpack)
  const options = optionsOf(c)
  const found = oracle(q, k, v, options as OracleOptions)
  const output = unpack(c.output)
  const weights = c.weights && unpack(c.weights)

  test('the oracle agrees to 1e-12', () => {
    expect(compare('output', found.exact.output, exactly(output.data))).toBeUndefined()
    if (!weights) return
    const own = c.average ? averaged(found.exact.weights, found.weightsDims) : found.exact.weights
    expect(compare('weights', own, exactly(weights.data))).toBeUndefined()
  })

  test.each(namedPlatforms)('%s', (_name, platform) => {
    const got = platform.open().attentionWeights(q as Tensor, k as Tensor, v as Tensor, options)
    expect(got.output.dims).toEqual(output.dims)
    expect(compare('output', got.output.data, { ...outputTruth(found), exact: output.data })).toBeUndefined()
    if (!weights) return
    const mean = (numbers: ArrayLike<number>) => (c.average ? averaged(numbers, found.weightsDims) : numbers)
    const truth = {
      exact: weights.data,
      naive: found.naive.map(way => mean(way.weights)),
      scale: mean(found.weightsScale),
    }
    expect(compare('weights', mean(got.weights!.data), truth)).toBeUndefined()
  })
})

/** A budget of 1e-12, from the floor of 1e-6. */
function exactly(exact: Float32Array): Parameters<typeof compare>[2] {
  return { exact, naive: [], scale: new Float64Array(exact.length).fill(1e-6) }
}
