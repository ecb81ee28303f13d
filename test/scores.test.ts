/**
 * Every option that changes single scores, on every platform against the oracle. What a backend has
 * no kernel for runs on the reference through the same call, and `plan()` says so.
 * @module
 */
import { expect, test } from 'vitest'
import type { AttentionOptions } from '../src/index.ts'
import { buildCall } from './support/cases.ts'
import { namedKernels } from './support/platforms.ts'
import { scoreCases } from './support/score-cases.ts'
import { conformance } from './support/suite.ts'
import './support/replay.ts'

const cases = scoreCases()

conformance('scores', cases)

test.each(namedKernels)('plan says who runs what on %s', (_, platform) => {
  const api = platform.open()
  for (const c of cases) {
    const { q, k, v, options } = buildCall(c)
    const plan = api.plan(q, k, v, options as AttentionOptions)
    expect(plan.backend, c.name).toBe(plan.missing.length === 0 ? platform.backend : 'reference')
    expect(plan.reason === '', c.name).toBe(plan.missing.length === 0)
    for (const feature of plan.missing) expect(plan.reason).toContain(feature)
  }
})
