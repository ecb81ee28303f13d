/**
 * One case on one platform against the oracle. Free of any test framework, so that every runner can use it.
 * @module
 */
import type { Attention, AttentionOptions } from '../../src/index.ts'
import { oracle } from '../oracle/oracle.ts'
import type { OracleResult } from '../oracle/types.ts'
import { buildCall, type Call, type Case } from './cases.ts'
import { compare, compareBits, type Truth } from './compare.ts'

/** A case with its truth, computed at the first use and kept for the next platform. */
export interface Prepared {
  readonly call: Call
  readonly truth: OracleResult
}

let last: { key: string; prepared: Prepared } | undefined

/** Platforms take turns on one case, so one memory is enough. */
export function prepare(c: Case): Prepared {
  const key = `${c.seed} ${c.name}`
  if (last?.key !== key) {
    const call = buildCall(c)
    last = { key, prepared: { call, truth: oracle(call.q, call.k, call.v, call.options) } }
  }
  return last.prepared
}

const SENTINEL = -77.5
const MARGIN = 33

/** An output in the middle of a larger buffer, 4 bytes off any vector boundary, full of numbers that must go. */
export function guardedOutput(dims: readonly number[]): { data: Float32Array; problems: () => string[] } {
  const length = dims.reduce((size, dim) => size * dim, 1)
  const whole = new Float32Array(length + 2 * MARGIN).fill(SENTINEL)
  const data = whole.subarray(MARGIN, MARGIN + length)
  return {
    data,
    problems: () => {
      const outside = [...whole.subarray(0, MARGIN), ...whole.subarray(MARGIN + length)]
      const problems = outside.every(x => x === SENTINEL) ? [] : ['something was written outside of out']
      if (data.includes(SENTINEL)) problems.push('a part of out was not written')
      return problems
    },
  }
}

export function outputTruth({ exact, naive, outputScale }: OracleResult): Truth {
  return { exact: exact.output, naive: naive.map(way => way.output), scale: outputScale }
}

export function lseTruth({ exact, naive, lseScale }: OracleResult): Truth {
  return { exact: exact.lse, naive: naive.map(way => way.lse), scale: lseScale }
}

/**
 * Runs a case into a caller's `out` and, without sinks, once more as a part, for the lse.
 * Returns what is wrong, and the output for comparisons between platforms.
 */
export function checkCase(c: Case, api: Attention): { problems: string[]; output: Float32Array } {
  const { call, truth } = prepare(c)
  const options = call.options as AttentionOptions
  const guarded = guardedOutput(truth.outputDims)
  const out = { data: guarded.data, dims: truth.outputDims }
  const result = api.attention(call.q, call.k, call.v, { ...options, out })
  const problems = guarded.problems()
  if (result !== out) problems.push('the result is not the tensor given as out')
  problems.push(compare('output', guarded.data, outputTruth(truth)) ?? '')
  if (options.sinks === undefined) {
    const part = api.attentionPartial(call.q, call.k, call.v, options)
    problems.push(compare('lse', part.lse.data, lseTruth(truth)) ?? '')
    problems.push(
      compareBits('output again, as a part', part.output.data as Float32Array, guarded.data) ?? '',
    )
    if (`${part.lse.dims}` !== `${truth.lseDims}`)
      problems.push(`lse: dims ${part.lse.dims} instead of ${truth.lseDims}`)
  }
  return { problems: problems.filter(problem => problem !== ''), output: guarded.data }
}
