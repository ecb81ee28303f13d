/**
 * What the wheel's cases leave open: past, window, lengths and masks of a node together, against the oracle;
 * and that the adapter never writes to what it was given.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type OnnxAttributes, type OnnxInputs, type OnnxOptions, onnxAttention } from '../src/onnx/index.ts'
import { decodeFloat16, encodeFloat16 } from './oracle/half.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions, OracleTensor } from './oracle/types.ts'
import { outputTruth } from './support/check.ts'
import { evaluate, root } from './support/child.ts'
import { compare } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const [B, H, G, SQ, SK, P, D, DV] = [2, 6, 2, 5, 4, 7, 8, 5]

type Tensor = OracleTensor & { data: Float32Array }

function normal(seed: number, ...dims: number[]): Tensor {
  return {
    data: fillNormal(
      random(seed),
      dims.reduce((a, b) => a * b, 1),
    ),
    dims,
  }
}

/** [batch, heads, rows, channels] to [batch, rows, heads * channels]. */
function heads3({ data, dims: [b, h, rows, c] }: Tensor): Tensor {
  const at = (n: number) => {
    const [item, row, rest] = [Math.floor(n / (rows * h * c)), Math.floor(n / (h * c)) % rows, n % (h * c)]
    return ((item * h + Math.floor(rest / c)) * rows + row) * c + (rest % c)
  }
  return { data: data.map((_, n) => data[at(n)]), dims: [b, rows, h * c] }
}

/** Along the rows of [batch, heads, rows, channels]. */
function after(past: Tensor, fresh: Tensor): Tensor {
  const [b, h, , c] = past.dims
  const planes = Array.from({ length: b * h }, (_, n) =>
    [past, fresh].map(({ data, dims }) => [...data.subarray(n * dims[2] * c, (n + 1) * dims[2] * c)]),
  )
  return { data: Float32Array.from(planes.flat(2)), dims: [b, h, past.dims[2] + fresh.dims[2], c] }
}

const q = normal(1, B, H, SQ, D)
const k = normal(2, B, G, SK, D)
const v = normal(3, B, G, SK, DV)
const pastKey = normal(4, B, G, P, D)
const pastValue = normal(5, B, G, P, DV)
const [allKeys, allValues] = [after(pastKey, k), after(pastValue, v)]
const mask = { data: Uint8Array.from({ length: SQ * 9 }, (_, n) => (n % 3 ? 1 : 0)), dims: [SQ, 9] }
/** The same, padded to the keys of the past and the new ones. */
const keep = {
  data: Uint8Array.from({ length: SQ * (P + SK) }, (_, n) => {
    const [row, key] = [Math.floor(n / (P + SK)), n % (P + SK)]
    return key < 9 ? mask.data[row * 9 + key] : 0
  }),
  dims: [SQ, P + SK],
}

interface Row {
  what: string
  inputs: OnnxInputs
  attributes: OnnxAttributes
  options?: OnnxOptions
  oracle: [Tensor, Tensor, Tensor, OracleOptions]
}

const rank4 = { Q: q, K: k, V: v }
const rank3 = { Q: heads3(q), K: heads3(k), V: heads3(v) }
const headNumbers = { q_num_heads: H, kv_num_heads: G }
const past = { past_key: pastKey, past_value: pastValue }
const window = { left: 3, right: 0 }
const combined = { is_causal: 1, left_window_size: 3, softcap: 2, scale: 0.5 } as const
const combinedTruth = { causal: true, queryOffset: P, window, softcap: 2, scale: 0.5, keep }

const ROWS: Row[] = [
  {
    what: 'six heads on two',
    inputs: rank4,
    attributes: {},
    oracle: [q, k, v, {}],
  },
  {
    what: 'rank 3, six heads on two',
    inputs: rank3,
    attributes: headNumbers,
    oracle: [q, k, v, {}],
  },
  {
    what: 'past, causal, window, softcap, scale and a short mask',
    inputs: { ...rank4, ...past, attn_mask: mask },
    attributes: combined,
    oracle: [q, allKeys, allValues, combinedTruth],
  },
  {
    what: 'the same with rank 3',
    inputs: { ...rank3, ...past, attn_mask: { ...mask, type: 'bool' } },
    attributes: { ...combined, ...headNumbers },
    oracle: [q, allKeys, allValues, combinedTruth],
  },
  {
    what: 'lengths, causal and a window to both sides, as Int32Array',
    inputs: { ...rank4, nonpad_kv_seqlen: { data: Int32Array.of(2, 4), dims: [2] } },
    attributes: { left_window_size: 2, right_window_size: 1 },
    oracle: [
      q,
      k,
      v,
      {
        keyLengths: Int32Array.of(2, 4),
        queryOffset: Int32Array.of(2 - SQ, 4 - SQ),
        window: { left: 2, right: 1 },
      },
    ],
  },
  {
    what: 'an empty past',
    inputs: { ...rank4, past_key: normal(6, B, G, 0, D), past_value: normal(7, B, G, 0, DV) },
    attributes: { is_causal: true },
    oracle: [q, k, v, { causal: 'top-left' }],
  },
]

describe.each(namedKernels)('%s', (_, platform) => {
  test.each(ROWS.map(row => [row.what, row] as const))('%s', (_what, row) => {
    const before = structuredClone(row.inputs)
    const { Y } = onnxAttention(row.inputs, row.attributes, { ...row.options, attention: platform.open() })
    expect(row.inputs).toEqual(before)
    const truth = oracle(...row.oracle)
    // The oracle speaks of rank 4.
    const rankedTruth =
      row.inputs.Q.dims.length === 4
        ? outputTruth(truth)
        : {
            exact: three(truth.exact.output),
            naive: truth.naive.map(way => three(way.output)),
            scale: three(truth.outputScale),
          }
    expect(Y.dims).toEqual(row.inputs.Q.dims.length === 4 ? [B, H, SQ, DV] : [B, SQ, H * DV])
    expect(compare('Y', Y.data, rankedTruth)).toBeUndefined()
  })

  test('present keys and values with rank 3 have an axis of heads', () => {
    const { present_key, present_value } = onnxAttention({ ...rank3, ...past }, headNumbers, {
      attention: platform.open(),
    })
    expect(present_key).toEqual({ ...allKeys, type: 'float32' })
    expect(present_value).toEqual({ ...allValues, type: 'float32' })
  })

  test('present ones without a past are the new ones', () => {
    const got = onnxAttention(rank3, headNumbers, {
      outputs: ['Y', 'present_key'],
      attention: platform.open(),
    })
    expect(Object.keys(got)).toEqual(['Y', 'present_key'])
    expect(got.present_key).toEqual({ ...k, type: 'float32' })
  })

  test.each([
    [0, 'scaled'],
    [1, 'capped'],
    [2, 'masked'],
    [3, 'weights'],
  ] as const)('mode %i of half tensors shows %s in half', (mode, step) => {
    const half = ({ data, dims }: Tensor) => ({
      data: Uint16Array.from(data, encodeFloat16),
      dims,
      type: 'float16' as const,
    })
    const inputs = { Q: half(q), K: half(k), V: half(v) }
    const { qk_matmul_output: seen } = onnxAttention(
      inputs,
      { qk_matmul_output_mode: mode, softcap: 1.5, is_causal: 1 },
      { outputs: ['qk_matmul_output'], attention: platform.open() },
    )
    const truth = oracle(inputs.Q, inputs.K, inputs.V, { softcap: 1.5, causal: 'top-left' })
    const [numbers, naive, scale] =
      step === 'weights'
        ? [truth.exact.weights, truth.naive.map(way => way.weights), truth.weightsScale]
        : [
            truth.exact.scores[step],
            truth.naive.map(way => way.scores[step]),
            new Float64Array(B * H * SQ * SK).fill(4),
          ]
    expect(seen).toMatchObject({ dims: [B, H, SQ, SK], type: 'float16' })
    const got = Float64Array.from(seen!.data, decodeFloat16)
    expect(compare(step, got, { exact: numbers, naive, scale }, 'float16')).toBeUndefined()
  })
})

function three(data: Float64Array): Float64Array {
  return Float64Array.from(heads3({ data: data as never, dims: [B, H, SQ, DV] }).data)
}

test('without a backend of its own it takes the one that the package picks', () => {
  const { Y } = onnxAttention(rank4)
  const truth = oracle(q, k, v)
  expect(compare('Y', Y.data, outputTruth(truth))).toBeUndefined()
})

test('the package exports it, on the same backends as its main entry', () => {
  const code = `
    import { onnxAttention } from ${JSON.stringify(`${root}dist/onnx.js`)}
    const one = { data: Float32Array.of(1, 2), dims: [1, 1, 1, 2] }
    const attention = selfsame.load({ backend: 'reference' })
    print([onnxAttention({ Q: one, K: one, V: one }), onnxAttention({ Q: one, K: one, V: one }, {}, { attention })]
      .map(({ Y }) => [...Y.data]))`
  expect(evaluate(code)).toEqual([
    [1, 2],
    [1, 2],
  ])
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  for (const path of Object.values<string>(exports['./onnx']))
    expect(existsSync(root + path), path).toBe(true)
})
