/**
 * plan(): what a call would do, counted by the oracle's rules, and nothing run.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions } from '../src/index.ts'
import { rulesOf } from './oracle/rules.ts'
import { shapeOf } from './oracle/shape.ts'
import { buildCall } from './support/cases.ts'
import { kernels, namedKernels } from './support/platforms.ts'
import { rangeCases } from './support/range-cases.ts'
import './support/replay.ts'

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test('counts the pairs of query and key that count, and their multiply-adds', () => {
    for (const c of rangeCases()) {
      const { q, k, v, options } = buildCall(c)
      const shape = shapeOf(q, k, v, options)
      const rules = rulesOf(shape, options)
      let pairs = 0
      shape.items.forEach((item, b) => {
        for (let i = 0; i < item.queries; i++) {
          for (let j = 0; j < item.keys; j++) if (rules.attended(b, 0, i, j)) pairs += shape.heads
        }
      })
      const plan = api.plan(q, k, v, options as AttentionOptions)
      expect(plan.pairs, c.name).toBe(pairs)
      expect(plan.flops, c.name).toBe(2 * pairs * (c.headDim + c.valueDim))
      expect(plan, c.name).toMatchObject({
        headDim: c.headDim,
        valueDim: c.valueDim,
        heads: c.heads,
        kvHeads: c.kvHeads,
      })
    }
  })

  test('names a kernel, its tile and its scratch memory', () => {
    const t = { data: new Float32Array(2 * 64 * 32), dims: [1, 2, 64, 32] }
    const plan = api.plan(t, t, t)
    expect(plan.backend).toBe(platform.backend)
    expect(plan.isa).toBe(api.info().isa)
    expect(plan.kernel).not.toBe('')
    expect(plan.missing).toEqual([])
    const { queries, keys, block } = plan.tile
    for (const size of [
      queries,
      keys,
      block,
      plan.split,
      plan.tasks,
      plan.scratchBytes,
      plan.bytes,
      plan.threads,
    ]) {
      expect(Number.isInteger(size) && size > 0, `${size}`).toBe(true)
    }
  })

  test('runs nothing', () => {
    const t = { data: new Float32Array(2 * 64 * 32), dims: [1, 2, 64, 32] }
    const out = { data: new Float32Array(2 * 64 * 32).fill(7), dims: t.dims }
    api.plan(t, t, t, { out })
    expect(out.data.every(x => x === 7)).toBe(true)
  })
})

test('every backend counts the same', () => {
  const t = { data: new Float32Array(6 * 40 * 16), dims: [1, 6, 40, 16] }
  const counts = kernels.map(({ open }) => {
    const { pairs, flops, bytes } = open().plan(t, t, t, { causal: true, window: { left: 7 } })
    return `${pairs} ${flops} ${bytes}`
  })
  expect(new Set(counts).size).toBe(1)
})
