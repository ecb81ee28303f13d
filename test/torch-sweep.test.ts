/**
 * Sweeps of PyTorch (test/oracle/record-torch-sdpa.py, record-torch-flex.py): scaled_dot_product_attention with every
 * kind of mask, causal form, grouping, scale and type; FlexAttention's score functions, alone and combined.
 * The recorded results are float64; the budget is the contract's.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, Tensor } from '../src/index.ts'
import { numbersOf } from './oracle/half.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions } from './oracle/types.ts'
import { compare } from './support/compare.ts'
import { namedPlatforms } from './support/platforms.ts'
import { type Packed, readRecording, unpack } from './support/torch-cases.ts'
import './support/replay.ts'

interface Case {
  readonly name: string
  readonly options: OracleOptions
  readonly tensors: Record<string, Packed>
  readonly q: Packed
  readonly k: Packed
  readonly v: Packed
  readonly output: Packed
  readonly lse?: Packed
}

const COUNTS = { sdpa: 46, flex: 17 }

describe.each(Object.entries(COUNTS))('%s', (sweep, count) => {
  const { made, cases } = readRecording<Case>(sweep)

  test('is whole, and says what made it', () => {
    expect(cases.length).toBe(count)
    expect(made.torch).toMatch(/^2\.13\./)
    // Between them the cases use every option that this PyTorch function can express.
    const used = cases.flatMap(({ options, tensors }) => [...Object.keys(options), ...Object.keys(tensors)])
    expect([...new Set(used)].sort()).toEqual(
      sweep === 'sdpa'
        ? ['bias', 'causal', 'keep', 'scale']
        : ['alibi', 'bias', 'causal', 'keep', 'keyLengths', 'queryOffset', 'softcap', 'window'],
    )
  })

  describe.each(cases.map(c => [c.name, c] as const))('%s', (_, c) => {
    const [q, k, v] = [c.q, c.k, c.v].map(unpack)
    const tensors = Object.entries(c.tensors).map(([name, packed]) => [name, unpack(packed)])
    const options: OracleOptions = { ...c.options, ...Object.fromEntries(tensors) }
    const found = oracle(q, k, v, options)
    const output = unpack(c.output)
    const lse = c.lse && unpack(c.lse)

    test('the oracle agrees to 1e-12', () => {
      expect(found.outputDims).toEqual(output.dims)
      expect(largestDifference(found.exact.output, output.data)).toBeLessThan(1e-12)
      if (lse) expect(largestDifference(found.exact.lse, lse.data)).toBeLessThan(1e-12)
    })

    test.each(namedPlatforms)('%s', (_name, platform) => {
      const api = platform.open()
      const call = [q as Tensor, k as Tensor, v as Tensor, options as AttentionOptions] as const
      const got = api.attention(...call)
      const truth = {
        exact: output.data,
        naive: found.naive.map(way => way.output),
        scale: found.outputScale,
      }
      expect([got.dims, got.type]).toEqual([output.dims, q.type ?? 'float32'])
      expect(compare('output', numbersOf(got), truth, got.type)).toBeUndefined()
      if (!lse) return
      const part = api.attentionPartial(...call)
      const naive = found.naive.map(way => way.lse)
      expect(compare('lse', part.lse.data, { exact: lse.data, naive, scale: found.lseScale })).toBeUndefined()
    })
  })
})

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let worst = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) worst = Math.max(worst, Math.abs(a[i] - b[i]))
  return worst
}
