/**
 * What PyTorch computed (test/oracle/record-torch.py) against the oracle, and against every platform.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions, OracleTensor } from './oracle/types.ts'
import { compare } from './support/compare.ts'
import { namedPlatforms } from './support/platforms.ts'
import './support/replay.ts'

interface Packed {
  dims: number[]
  type: string
  base64: string
}

const ARRAYS = { float32: Float32Array, float64: Float64Array, bool: Uint8Array }
const folder = new URL('./fixtures/', import.meta.url)

function unpack(packed: Packed): { data: Float32Array; dims: number[] } {
  const bytes = Uint8Array.from(Buffer.from(packed.base64, 'base64'))
  const kind = ARRAYS[packed.type as keyof typeof ARRAYS]
  return { data: new kind(bytes.buffer) as Float32Array, dims: packed.dims }
}

function readFixture(name: string) {
  const fixture = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  const tensors = Object.entries<Packed>(fixture.tensors).map(([key, packed]) => [key, unpack(packed)])
  return {
    call: fixture.call as string,
    made: fixture.made as Record<string, string>,
    options: { ...fixture.options, ...Object.fromEntries(tensors) } as OracleOptions,
    q: unpack(fixture.q),
    k: unpack(fixture.k),
    v: unpack(fixture.v),
    output: unpack(fixture.output),
    float32: unpack(fixture.float32),
    lse: unpack(fixture.lse),
    weights: unpack(fixture.weights),
  }
}

const names = readdirSync(folder).filter(name => name.startsWith('torch-'))

test('the fixtures are there and say what made them', () => {
  expect(names.length).toBeGreaterThanOrEqual(11)
  for (const name of names) {
    expect(readFixture(name).made).toMatchObject({
      torch: expect.stringMatching(/^2\.13\./),
      numpy: /^\d/,
      python: /^3\./,
    })
  }
})

describe.each(names)('%s', name => {
  const fixture = readFixture(name)
  const { q, k, v, options } = fixture
  const found = oracle(q, k, v, options)

  test('the oracle agrees to 1e-12', () => {
    expect(found.outputDims).toEqual(fixture.output.dims)
    expect(largestDifference(found.exact.output, fixture.output)).toBeLessThan(1e-12)
    expect(largestDifference(found.exact.lse, fixture.lse)).toBeLessThan(1e-12)
    expect(largestDifference(found.exact.weights, fixture.weights)).toBeLessThan(1e-12)
  })

  test.each(namedPlatforms)('%s agrees within the budget', (_, platform) => {
    const api = platform.open()
    const result = api.attentionWeights(q, k, v, options as never)
    const { outputScale, lseScale, weightsScale } = found
    const truths = [
      ['output', result.output, fixture.output, [fixture.float32.data], outputScale],
      ['lse', result.lse, fixture.lse, found.naive.map(way => way.lse), lseScale],
      ['weights', result.weights!, fixture.weights, found.naive.map(way => way.weights), weightsScale],
    ] as [string, OracleTensor, OracleTensor, ArrayLike<number>[], Float64Array][]
    for (const [label, got, exact, naive, scale] of truths) {
      expect(got.dims).toEqual(exact.dims)
      expect(compare(label, got.data, { exact: exact.data, naive, scale })).toBeUndefined()
    }
  })
})

function largestDifference(a: Float64Array, b: OracleTensor): number {
  expect(a.length).toBe(b.data.length)
  let worst = 0
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b.data[i]) worst = Math.max(worst, Math.abs(a[i] - b.data[i]))
  return worst
}
