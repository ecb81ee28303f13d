/**
 * attentionWeights: weights, scores at each step, mass and selected rows, against the oracle on every platform.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, WeightsOptions } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleResult } from './oracle/types.ts'
import type { Case } from './support/cases.ts'
import { buildCall, workOf } from './support/cases.ts'
import { lseTruth, outputTruth, prepare } from './support/check.ts'
import { compare, type Truth } from './support/compare.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { rangeCases } from './support/range-cases.ts'
import { scoreCases } from './support/score-cases.ts'
import { SLOW_WORK, seedOf, sizeCases } from './support/sweep.ts'
import './support/replay.ts'

/** Every n-th case of the lists of the other suites that is small enough to look inside. */
const cases: Case[] = [
  ...sizeCases().filter((c, n) => n % 3 === 0 && workOf(c) <= SLOW_WORK),
  ...rangeCases().filter((_, n) => n % 2 === 0),
  ...scoreCases().filter((_, n) => n % 3 === 0),
]

/** Numbers relative to the largest of their row, or to 1 where that is more. */
function byRow(exact: Float64Array, naive: Float64Array[], width: number): Truth {
  const scale = new Float64Array(exact.length)
  for (let at = 0; at < exact.length; at += width) {
    let largest = 1
    for (const x of exact.subarray(at, at + width))
      if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
    scale.fill(largest, at, at + width)
  }
  return { exact, naive, scale }
}

function weightsTruth({ exact, naive, weightsScale }: OracleResult): Truth {
  return { exact: exact.weights, naive: naive.map(way => way.weights), scale: weightsScale }
}

function problemsOf(checks: (string | undefined)[]): string {
  return checks.filter(check => check !== undefined).join('\n')
}

function checkWeights(c: Case, api: Attention): string {
  const { call, truth } = prepare(c)
  const { q, k, v } = call
  const result = api.attentionWeights(q, k, v, call.options as WeightsOptions)
  expect(result.weights!.dims).toEqual(truth.weightsDims)
  expect(Object.keys(result).sort()).toEqual(['lse', 'output', 'weights'])
  const mass = api.attentionWeights(q, k, v, { ...call.options, want: ['mass'] } as WeightsOptions).mass!
  const [batch, heads, queries, keys] = truth.weightsDims
  expect(mass.dims).toEqual([batch, heads, keys])
  const plane = heads * keys === 0 ? 0 : keys
  return problemsOf([
    compare('output', result.output.data, outputTruth(truth)),
    compare('lse', result.lse.data, lseTruth(truth)),
    compare('weights', result.weights!.data, weightsTruth(truth)),
    compare(
      'mass',
      mass.data,
      byRow(
        truth.exact.mass,
        truth.naive.map(way => way.mass),
        plane,
      ),
    ),
    call.options.sinks
      ? undefined
      : sumsToOne(result.weights!.data as Float32Array, truth.exact.lse, queries, keys, c),
  ])
}

/** Rows with keys sum to 1, rows without to 0. */
function sumsToOne(
  weights: Float32Array,
  lse: Float64Array,
  queries: number,
  keys: number,
  c: Case,
): string | undefined {
  for (let row = 0; row * keys < weights.length; row++) {
    const sum = weights.subarray(row * keys, (row + 1) * keys).reduce((a, b) => a + b, 0)
    // lse is [rows, heads] where the batch is ragged.
    const at = c.form === 'ragged' ? (row % queries) * c.heads + Math.floor(row / queries) : row
    const expected = lse[at] === Number.NEGATIVE_INFINITY ? 0 : 1
    if (!(Math.abs(sum - expected) < 1e-5)) return `weights of row ${row} sum to ${sum}`
  }
  return undefined
}

describe('weights and mass', () => {
  for (const c of cases) {
    describe(c.name, () => {
      test.each(namedKernels)('%s', (_, platform) => {
        expect(checkWeights(c, platform.open())).toBe('')
      })
    })
  }
})

describe('scores at each step', () => {
  // Tokens of other sequences have no scores, so ragged batches are left out.
  for (const c of cases.filter(({ form }, n) => form !== 'ragged' && n % 3 === 0)) {
    describe(c.name, () => {
      test.each(namedKernels)('%s', (_, platform) => {
        const { call, truth } = prepare(c)
        const { q, k, v } = call
        const keys = truth.weightsDims[3]
        for (const scoresAt of ['scaled', 'capped', 'masked'] as const) {
          const options = { ...call.options, want: ['scores'], scoresAt } as WeightsOptions
          const { scores } = platform.open().attentionWeights(q, k, v, options)
          expect(scores!.dims).toEqual(truth.weightsDims)
          const rows = byRow(
            truth.exact.scores[scoresAt],
            truth.naive.map(way => way.scores[scoresAt]),
            keys,
          )
          expect(problemsOf([compare(scoresAt, scores!.data, rows)])).toBe('')
        }
      })
    })
  }
})

describe('selected rows', () => {
  const chosen = cases.filter(({ form, queries }) => form !== 'ragged' && queries > 0)
  for (const [n, c] of chosen.filter((_, at) => at % 4 === 0).entries()) {
    const source = random(seedOf('rows', n))
    const all = Array.from({ length: c.queries }, (_, i) => i)
    const rows = Int32Array.from(source.shuffle(all).slice(0, 1 + source.below(c.queries)))
    describe(c.name, () => {
      test.each(namedKernels)('%s', (_, platform) => {
        const { q, k, v, options } = buildCall(c)
        const truth = oracle(q, k, v, { ...options, rows })
        const want = ['weights', 'mass'] as const
        const result = platform.open().attentionWeights(q, k, v, { ...options, rows, want } as WeightsOptions)
        const [batch, heads, queries, keys] = truth.weightsDims
        expect(result.weights!.dims).toEqual([batch, heads, rows.length, keys])
        const take = (numbers: Float64Array): Float64Array => {
          const planes = Array.from({ length: batch * heads }, (_, plane) => plane)
          return Float64Array.from(
            planes.flatMap(plane =>
              [...rows].flatMap(row => [
                ...numbers.subarray((plane * queries + row) * keys).subarray(0, keys),
              ]),
            ),
          )
        }
        const { exact, naive, weightsScale } = truth
        const picked = {
          exact: take(exact.weights),
          naive: naive.map(way => take(way.weights)),
          scale: take(weightsScale),
        }
        expect(
          problemsOf([
            // The rows select what is shown, not what is computed.
            compare('output', result.output.data, outputTruth(truth)),
            compare('weights', result.weights!.data, picked),
            compare(
              'mass',
              result.mass!.data,
              byRow(
                exact.mass,
                naive.map(way => way.mass),
                keys,
              ),
            ),
          ]),
        ).toBe('')
      })
    })
  }
})
