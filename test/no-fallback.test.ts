/**
 * Native and WASM run every call themselves: plan() says so, and no call warns that the reference stands in.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Feature, type FeatureName } from '../src/attention/plan.ts'
import { load, type Tensor, type WeightsOptions } from '../src/index.ts'
import { kernels } from './support/platforms.ts'
import './support/replay.ts'

const [HEADS, ROWS, DIM] = [2, 20, 8]
const tensor = { data: new Float32Array(HEADS * ROWS * DIM).fill(0.5), dims: [1, HEADS, ROWS, DIM] }
const half: Tensor = { ...tensor, data: new Uint16Array(tensor.data.length).fill(0x3800), type: 'float16' }
const mask = { data: new Uint8Array(ROWS).fill(1), dims: [1, ROWS] }

/** Arithmetic of lower precision comes later, and is refused by name on every backend. */
type Later = 'int16' | 'bfloat16' | 'int8'
const LATER: readonly string[] = ['int16', 'bfloat16', 'int8'] satisfies Later[]

const CALLS: Record<Exclude<FeatureName, Later>, { options: WeightsOptions; tensor?: Tensor }> = {
  softcap: { options: { softcap: 2 } },
  bias: { options: { bias: { data: new Float32Array(ROWS), dims: [1, ROWS] } } },
  keep: { options: { keep: mask } },
  drop: { options: { drop: { ...mask, data: new Uint32Array(1), bits: true } } },
  alibi: { options: { alibi: true } },
  sinks: { options: { sinks: new Float32Array(HEADS) } },
  half: { options: {}, tensor: half },
  weights: { options: { want: ['weights'] } },
  scores: { options: { want: ['scores'], scoresAt: 'capped' } },
  mass: { options: { want: ['mass'] } },
}

test('every feature of the plan has a call here', () => {
  const known = Object.keys(Feature).filter(name => !LATER.includes(name))
  expect(Object.keys(CALLS).sort()).toEqual(known.sort())
})

let warnings: unknown[][]
const own = process.emitWarning
beforeEach(() => {
  warnings = []
  process.emitWarning = (...told: unknown[]) => {
    warnings.push(told)
  }
})
afterEach(() => {
  process.emitWarning = own
})

const served = kernels.filter(({ backend }) => backend !== 'reference')

test('this machine has a backend beside the reference', () => {
  expect(served).not.toEqual([])
})

describe.each(served.map(platform => [platform.name, platform] as const))('%s', (_, { backend, isa }) => {
  test.each(Object.entries(CALLS))('%s', (_name, { options, tensor: t = tensor }) => {
    // Loaded anew, for a warning comes once.
    const api = load({ backend, isa, threads: 1 } as Parameters<typeof load>[0])
    const { want, scoresAt, ...rest } = options
    expect(api.plan(t, t, t, rest)).toMatchObject({ backend, missing: [], reason: '' })
    api.attention(t, t, t, rest)
    api.attentionWeights(t, t, t, { ...rest, want: want ?? [], ...(scoresAt && { scoresAt }) })
    const { sinks, ...ofPart } = rest
    api.attentionPartial(t, t, t, ofPart)
    expect(warnings).toEqual([])
  })
})
