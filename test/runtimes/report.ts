/**
 * What every runtime is asked: which backend serves, whether it computes right, how far off it is, how fast.
 * Free of Node, and of the package itself, which comes as the runtime resolves it.
 * @module
 */
import type { Attention, AttentionOptions } from '../../src/index.ts'
import { oracle } from '../oracle/oracle.ts'
import { workOf } from '../support/cases.ts'
import { checkCase } from '../support/check.ts'
import { decodeCases } from '../support/decode-cases.ts'
import { fillNormal } from '../support/fill.ts'
import { random } from '../support/random.ts'
import { rangeCases } from '../support/range-cases.ts'
import { scoreCases } from '../support/score-cases.ts'
import { sizeCases } from '../support/sweep.ts'

export interface Report {
  readonly info: ReturnType<Attention['info']>
  /** Conformance cases that were held to the oracle, and what was wrong. */
  readonly cases: number
  readonly failures: string[]
  /** At bert-512, against float64, relative to the row's scale. */
  readonly error: number
  /** At bert-512, one thread, the fastest of the batches. */
  readonly gflops: number
  /** What the page or process is allowed, where that matters. */
  readonly isolated?: boolean
}

/** Multiply-adds that a case may cost: all of them take some seconds in every engine. */
const MOST_WORK = 2e5

const HEADS = 12
const ROWS = 512
const DIM = 64
/** The oracle takes half a second for each. */
const CHECKED_HEADS = [HEADS - 1]

/** The clock of workerd ticks in milliseconds, so calls are timed in batches of some length. */
const BATCH_MS = 60
/** A number by the time this runs: `scripts/runtimes/project.mjs` puts it in, longer for what is published. */
const MEASURE_MS = Number(process.env.SELFSAME_MEASURE_MS)

export function reportOn(api: Attention): Report {
  const info = api.info()
  const { cases, failures } = conformance(api)
  const { error, gflops } = bert512(api, info.threads > 1 ? { threads: 1 } : {})
  return { info, cases, failures, error, gflops }
}

function conformance(api: Attention): { cases: number; failures: string[] } {
  const cases = [...sizeCases(), ...rangeCases(), ...scoreCases(), ...decodeCases()].filter(
    c => workOf(c) <= MOST_WORK,
  )
  const failures = cases.flatMap(c => {
    const { problems } = checkCase(c, api)
    return problems.length === 0 ? [] : [`${c.name}: ${problems.join('; ')}`]
  })
  return { cases: cases.length, failures }
}

function bert512(api: Attention, options: AttentionOptions): { error: number; gflops: number } {
  const source = random(512)
  const dims = [1, HEADS, ROWS, DIM]
  const tensor = () => ({ data: fillNormal(source, HEADS * ROWS * DIM), dims })
  const [q, k, v, out] = [tensor(), tensor(), tensor(), tensor()]
  const call = () => api.attention(q, k, v, { ...options, out })
  call()
  let error = 0
  for (const head of CHECKED_HEADS) {
    const only = ({ data }: typeof q) => ({
      data: data.subarray(head * ROWS * DIM, (head + 1) * ROWS * DIM),
      dims: [1, 1, ROWS, DIM],
    })
    const { exact, outputScale } = oracle(only(q), only(k), only(v))
    const got = only(out).data
    for (let i = 0; i < got.length; i++) {
      error = Math.max(error, Math.abs(got[i] - exact.output[i]) / outputScale[i])
    }
  }
  const flops = 4 * HEADS * ROWS * ROWS * DIM
  return { error, gflops: flops / 1e6 / fastest(call) }
}

/** Milliseconds of one call. Engines without on-stack replacement are warm once a batch has run. */
function fastest(call: () => void): number {
  const batch = (count: number): number => {
    const start = performance.now()
    for (let i = 0; i < count; i++) call()
    return performance.now() - start
  }
  let count = 1
  while (batch(count) < BATCH_MS) count *= 2
  let least = Number.POSITIVE_INFINITY
  const end = performance.now() + MEASURE_MS
  while (performance.now() < end) least = Math.min(least, batch(count) / count)
  return least
}
