/**
 * float16 and bfloat16 storage, on every platform against the oracle on the stored values.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions, TensorLike } from '../src/index.ts'
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  numbersOf,
  roundFloat16,
} from './oracle/half.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleTensor } from './oracle/types.ts'
import { lseTruth, outputTruth } from './support/check.ts'
import { compare } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const TYPES = ['float32', 'float16', 'bfloat16'] as const
type Type = (typeof TYPES)[number]

describe('the rounding of the tests themselves', () => {
  test('every float16 comes back from its value', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = decodeFloat16(bits)
      if (Number.isNaN(value)) continue
      expect(encodeFloat16(value)).toBe(bits)
    }
  })

  test('every bfloat16 comes back from its value', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = decodeBfloat16(bits)
      if (Number.isNaN(value)) continue
      expect(encodeBfloat16(value)).toBe(bits)
    }
  })

  test('ties go to even, and what is too large overflows', () => {
    expect(roundFloat16(1 + 2 ** -11)).toBe(1)
    expect(roundFloat16(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9)
    expect(roundFloat16(65519.99)).toBe(65504)
    expect(roundFloat16(65520)).toBe(Number.POSITIVE_INFINITY)
    expect(roundFloat16(2 ** -25)).toBe(0)
    expect(roundFloat16(2 ** -25 * 1.01)).toBe(2 ** -24)
  })
})

function tensor(type: Type, data: Float32Array, dims: number[]): OracleTensor & TensorLike {
  if (type === 'float32') return { data, dims }
  return { data: Uint16Array.from(data, type === 'float16' ? encodeFloat16 : encodeBfloat16), dims, type }
}

/** q may be float32 beside half k and v; otherwise the types agree. */
const PAIRS: [Type, Type][] = [
  ['float16', 'float16'],
  ['bfloat16', 'bfloat16'],
  ['float32', 'float16'],
  ['float32', 'bfloat16'],
]

const OPTIONS: { name: string; options: AttentionOptions }[] = [
  { name: 'dense', options: {} },
  { name: 'causal', options: { causal: 'bottom-right' } },
  { name: 'lengths', options: { keyLengths: Int32Array.of(33, 0), queryLengths: Int32Array.of(5, 17) } },
]

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()
  const source = random(99)
  const numbers = [17 * 24, 33 * 24, 33 * 20].map(size => fillNormal(source, 2 * 2 * size))

  for (const [qType, kvType] of PAIRS) {
    const q = tensor(qType, numbers[0], [2, 2, 17, 24])
    const k = tensor(kvType, numbers[1], [2, 2, 33, 24])
    const v = tensor(kvType, numbers[2], [2, 2, 33, 20])

    test.each(OPTIONS)(`q ${qType}, k and v ${kvType}: $name`, ({ options }) => {
      const truth = oracle(q, k, v, options as never)
      const result = api.attention(q, k, v, options)
      expect(result.type ?? 'float32').toBe(qType)
      expect(result.data).toBeInstanceOf(qType === 'float32' ? Float32Array : Uint16Array)
      expect(compare('output', numbersOf(result), outputTruth(truth), qType)).toBeUndefined()
      const part = api.attentionPartial(q, k, v, options)
      expect(part.output.data).toBeInstanceOf(Float32Array)
      expect(compare('partial output', part.output.data, outputTruth(truth))).toBeUndefined()
      expect(compare('lse', part.lse.data, lseTruth(truth))).toBeUndefined()
    })

    test(`q ${qType}, k and v ${kvType}: out, weights`, () => {
      const out = tensor(qType, new Float32Array(2 * 2 * 17 * 20), [2, 2, 17, 20])
      expect(api.attention(q, k, v, { out })).toBe(out)
      const truth = oracle(q, k, v)
      expect(compare('out', numbersOf(out), outputTruth(truth), qType)).toBeUndefined()
      const { weights, output } = api.attentionWeights(q, k, v)
      expect(weights!.data).toBeInstanceOf(Float32Array)
      expect(output.type ?? 'float32').toBe(qType)
      const naive = truth.naive.map(way => way.weights)
      expect(
        compare('weights', weights!.data, { exact: truth.exact.weights, naive, scale: truth.weightsScale }),
      ).toBeUndefined()
    })
  }

  test.each(['float16', 'bfloat16'] as const)('a bias in %s', type => {
    const [q, k, v] = numbers.map((data, n) =>
      tensor('float32', data, [2, 2, n === 0 ? 17 : 33, n === 2 ? 20 : 24]),
    )
    const data = fillNormal(random(3), 17 * 33)
    data[5] = Number.NEGATIVE_INFINITY
    const bias = tensor(type, data, [17, 33])
    const truth = oracle(q, k, v, { bias })
    expect(compare('output', api.attention(q, k, v, { bias }).data, outputTruth(truth))).toBeUndefined()
  })

  test('the edges of float16: subnormal, largest and tiny values', () => {
    const values = Float32Array.of(65504, -65504, 2 ** -24, -(2 ** -24), 2 ** -14, 1, -1, 0)
    for (const [n, value] of values.entries()) {
      const one = tensor('float16', Float32Array.of(value), [1, 1])
      const still = tensor('float16', Float32Array.of(0), [1, 1])
      const result = api.attention(still, still, one)
      expect((result.data as Uint16Array)[0] & 0x7fff, `${n}`).toBe(encodeFloat16(value) & 0x7fff)
    }
  })
})
