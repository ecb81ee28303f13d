/**
 * Native and WASM run every call themselves: plan() says so, and no call warns that the reference stands in.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Feature, type FeatureName } from '../src/attention/plan.ts'
import {
  type Attention,
  type AttentionOptions,
  KvCache,
  load,
  type Tensor,
  type WeightsOptions,
} from '../src/index.ts'
import { kernels } from './support/platforms.ts'
import './support/replay.ts'

const [HEADS, ROWS, DIM] = [2, 20, 8]
const tensor = { data: new Float32Array(HEADS * ROWS * DIM).fill(0.5), dims: [1, HEADS, ROWS, DIM] }
const half: Tensor = { ...tensor, data: new Uint16Array(tensor.data.length).fill(0x3800), type: 'float16' }
const mask = { data: new Uint8Array(ROWS).fill(1), dims: [1, ROWS] }

/** Precisions depend on the CPU, and are refused by name where they are absent (test/precision.test.ts). */
type Precision = 'int16' | 'bfloat16' | 'int8'
const PRECISIONS: readonly string[] = ['int16', 'bfloat16', 'int8'] satisfies Precision[]

/** A feature, asked of plan() and of every function that takes it. */
interface Use {
  plan(api: Attention): ReturnType<Attention['plan']>
  run(api: Attention): void
}

function use(options: AttentionOptions, look: WeightsOptions = { want: [] }, t: Tensor = tensor): Use {
  return {
    plan: api => api.plan(t, t, t, options),
    run(api) {
      const { sinks, ...ofPart } = options
      api.attention(t, t, t, options)
      api.attentionPartial(t, t, t, ofPart)
      api.attentionWeights(t, t, t, { ...options, ...look })
    },
  }
}

/** A cache of as many keys as there are rows, which rolls, so that it has pages and first keys to keep. */
function cached(type: 'float32' | 'float16' | 'int8'): KvCache {
  const cache = new KvCache({ kvHeads: HEADS, headDim: DIM, window: 4, sinkTokens: 1, type })
  cache.append(tensor, tensor)
  return cache
}

const pages: Use = {
  plan: api => api.plan(tensor, cached('int8'), { causal: true }),
  run(api) {
    for (const type of ['float32', 'float16', 'int8'] as const) {
      api.attention(tensor, cached(type), { causal: true })
      api.attentionPartial(tensor, cached(type), { causal: true })
      api.attentionWeights(tensor, cached(type), { causal: true })
    }
  },
}

const USES: Record<Exclude<FeatureName, Precision>, Use> = {
  softcap: use({ softcap: 2 }),
  bias: use({ bias: { data: new Float32Array(ROWS), dims: [1, ROWS] } }),
  keep: use({ keep: mask }),
  drop: use({ drop: { ...mask, data: new Uint32Array(1), bits: true } }),
  alibi: use({ alibi: true }),
  sinks: use({ sinks: new Float32Array(HEADS) }),
  half: use({}, {}, half),
  weights: use({}, { want: ['weights'] }),
  scores: use({}, { want: ['scores'], scoresAt: 'capped' }),
  mass: use({}, { want: ['mass'] }),
  pages,
}

test('every feature of the plan is used here', () => {
  const known = Object.keys(Feature).filter(name => !PRECISIONS.includes(name))
  expect(Object.keys(USES).sort()).toEqual(known.sort())
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
  test.each(Object.entries(USES))('%s', (_name, { plan, run }) => {
    // Loaded anew, for a warning comes once.
    const api = load({ backend, isa, threads: 1 } as Parameters<typeof load>[0])
    expect(plan(api)).toMatchObject({ backend, missing: [], reason: '' })
    run(api)
    expect(warnings).toEqual([])
  })
})
