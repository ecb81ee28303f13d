/**
 * Products below float32: within their bounds of the truth on hard numbers and with every option, or refused.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, Tensor } from '../src/index.ts'
import { load } from '../src/index.ts'
import type { OracleOptions, OracleTensor } from './oracle/types.ts'
import { rounded, TYPES } from './support/cache-model.ts'
import { stored } from './support/fuzz/storage.ts'
import { kernels, namedKernels } from './support/platforms.ts'
import {
  BOUNDS,
  exactOutput,
  expectedPrecisions,
  type HardCall,
  hardCall,
  NUMBERS,
  namedPrecisions,
  numbersOf,
  PRECISIONS,
  relativeError,
} from './support/precisions.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const low = kernels.some(platform => expectedPrecisions(platform).length > 0)

/** The same call on every precision, so that the truth is computed once. */
function onEach(
  name: string,
  call: { q: OracleTensor; k: OracleTensor; v: OracleTensor },
  options: OracleOptions = {},
  bounds: number = 1,
): void {
  describe.skipIf(!low)(name, () => {
    let truth: Float64Array | undefined
    test.each(namedPrecisions)('%s', (_, platform, precision) => {
      truth ??= exactOutput(call, options)
      const { q, k, v } = call as unknown as Record<'q' | 'k' | 'v', Tensor>
      const out = platform.open().attention(q, k, v, { ...(options as AttentionOptions), precision })
      const rounding = out.type === 'float32' ? 0 : 4e-3
      expect(relativeError(numbersOf(out as OracleTensor), truth)).toBeLessThan(
        BOUNDS[precision] * bounds + rounding,
      )
    })
  })
}

for (const headDim of [20, 64, 72, 80, 128]) {
  for (const numbers of Object.keys(NUMBERS)) {
    onEach(`d${headDim} ${numbers}`, hardCall(numbers, { heads: 1, headDim }))
  }
}
// Errors of so few channels do not make up for each other.
for (const [headDim, valueDim] of [
  [1, 1],
  [7, 3],
  [33, 65],
  [130, 17],
])
  onEach(
    `d${headDim} v${valueDim}`,
    hardCall('normal', { headDim, valueDim }),
    {},
    Math.min(headDim, valueDim) < 16 ? 2 : 1,
  )

const source = random(11)
const grouped = { batch: 2, heads: 6, kvHeads: 2, rows: 70, keys: 300, headDim: 24 }
const [ROWS, KEYS] = [grouped.rows, grouped.keys]
const keep = {
  data: Uint8Array.from({ length: ROWS * KEYS }, () => source.below(4) && 1),
  dims: [ROWS, KEYS],
}
const bias = { data: Float32Array.from({ length: 6 * ROWS * KEYS }, source.normal), dims: [6, ROWS, KEYS] }
const OPTIONS: Record<string, OracleOptions> = {
  causal: { causal: 'bottom-right' },
  'window, scale': { window: { left: 40, right: 3 }, queryOffset: 100, scale: -0.1 },
  'keep, drop': { keep, drop: { data: new Uint32Array(10).fill(0x10), dims: [1, KEYS], bits: true } },
  bias: { bias },
  'softcap, alibi, sinks': {
    softcap: 3,
    alibi: true,
    causal: 'bottom-right',
    sinks: Float32Array.of(0, 1, -1, 2, 0, 0),
  },
  lengths: {
    keyLengths: Int32Array.of(300, 270),
    queryLengths: Int32Array.of(50, 70),
    leftPad: Int32Array.of(3, 0),
  },
}
for (const [name, options] of Object.entries(OPTIONS))
  onEach(`grouped heads, ${name}`, hardCall('normal', grouped), options)

const ragged = hardCall('normal', { heads: 1, rows: 150, keys: 400, headDim: 32 })
onEach('ragged', inTokens(ragged), {
  cuSeqlens: { q: Int32Array.of(0, 40, 150), k: Int32Array.of(0, 90, 400) },
})
for (const type of ['float16', 'bfloat16'] as const) {
  const { q, k, v } = hardCall('normal', { headDim: 40 })
  onEach(`stored in ${type}`, { q: stored(q, type), k: stored(k, type), v: stored(v, type) })
}

function inTokens(call: HardCall): HardCall {
  const tokens = ({ data, dims }: HardCall['q']) => ({ data, dims: [dims[2], 1, dims[3]] })
  return { q: tokens(call.q), k: tokens(call.k), v: tokens(call.v) }
}

describe('what is there', () => {
  const t = { data: new Float32Array(64 * 8), dims: [64, 8] }
  const few = { data: new Float32Array(4 * 8), dims: [4, 8] }

  test.each(namedKernels)('%s has its precisions and refuses the others by name', (_, platform) => {
    const api = platform.open()
    const there = expectedPrecisions(platform)
    for (const precision of PRECISIONS) {
      if (there.includes(precision)) {
        expect(api.plan(t, t, t, { precision }).kernel).toBe(`${precision} prefill`)
        // Decoding waits for memory: it stays exact.
        expect(api.plan(few, t, t, { precision }).kernel).toBe('decode')
        continue
      }
      const out = { data: new Float32Array(64 * 8).fill(7), dims: [64, 8] }
      const refusal = new RegExp(
        `^precision: expected one of 'float32'.*${platform.backend} \\(.*got '${precision}', which needs .*AVX`,
      )
      for (const call of [api.attention, api.attentionPartial, api.attentionWeights, api.plan]) {
        expect(() => call(t, t, t, { precision, out })).toThrow(RangeError)
        expect(() => call(t, t, t, { precision, out })).toThrow(refusal)
      }
      expect(out.data.every(x => x === 7)).toBe(true)
    }
  })

  test.each(namedPrecisions)('%s: few rows have the bits of float32', (_, platform, precision) => {
    const api = platform.open()
    const { q, k, v } = hardCall('few', { rows: 9, headDim: 40 })
    expect(api.attention(q, k, v, { precision }).data).toEqual(api.attention(q, k, v).data)
  })

  test.each(namedPrecisions)('%s: what is shown of weights is exact', (_, platform, precision) => {
    const api = platform.open()
    const { q, k, v } = hardCall('shown', { rows: 30, headDim: 40 })
    const shown = api.attentionWeights(q, k, v, { precision })
    expect(shown.weights!.data).toEqual(api.attentionWeights(q, k, v).weights!.data)
    expect(shown.output.data).toEqual(api.attention(q, k, v, { precision }).data)
  })

  test.each(namedPrecisions)('%s over caches of every type', (_, platform, precision) => {
    const api = platform.open()
    const { q, k, v } = hardCall('cached', { rows: 60, keys: 300, headDim: 40 })
    for (const type of TYPES) {
      const cache = new api.KvCache({ kvHeads: 2, headDim: 40, type })
      cache.append(k, v)
      const [keys, values] = [k, v].map(({ data, dims }) => ({ data: rounded(type, data, 40), dims }))
      expect(api.attention(q, cache, { causal: true, precision }).data, type).toEqual(
        api.attention(q, keys, values, { causal: 'bottom-right', precision }).data,
      )
    }
  })

  test.each(namedPrecisions)('%s: repeated calls keep to their own precision', (_, platform, precision) => {
    const { q, k, v } = hardCall('repeated', { rows: 40, headDim: 40 })
    const [low, float32] = [{ precision }, {}].map(
      options => platform.open().attention(q, k, v, options).data,
    )
    expect(low).not.toEqual(float32)
    const api = platform.open()
    for (let round = 0; round < 3; round++) {
      expect(api.attention(q, k, v, { precision }).data).toEqual(low)
      expect(api.attention(q, k, v).data).toEqual(float32)
    }
  })
})

test('nothing else is called a precision', () => {
  const t = { data: new Float32Array(8), dims: [1, 8] }
  expect(() => load({}).attention(t, t, t, { precision: 'int4' as 'int8' })).toThrow(/^precision: .*int4/)
})
