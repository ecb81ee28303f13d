/**
 * Drawn calls against the oracle, on all platforms: a short run of what scripts/fuzz.mjs does for hours.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { hunt, report } from './support/fuzz/hunt.ts'
import { HUNTS } from './support/fuzz/hunts.ts'
import { planted } from './support/fuzz/planted.ts'
import { kernels } from './support/platforms.ts'
import { SEED } from './support/random.ts'
import './support/replay.ts'

const CASES = 250
const numbers = HUNTS.find(({ name }) => name === 'numbers')!
const caches = HUNTS.find(({ name }) => name === 'caches')!

test(`${CASES} drawn calls give the oracle's numbers on every platform`, () => {
  const prey = hunt(numbers, kernels, { seed: SEED, cases: CASES })
  expect(prey && report(numbers.name, prey)).toBeUndefined()
})

test("drawn calls over caches of every type give the oracle's numbers on every platform", () => {
  const prey = hunt(caches, kernels, { seed: SEED, cases: CASES })
  expect(prey && report(caches.name, prey)).toBeUndefined()
})

describe('a planted defect', () => {
  const widerWindow = planted(attention => (q, k, v, options) => {
    const { window } = options ?? {}
    if (window?.left === undefined) return attention(q, k, v, options)
    return attention(q, k, v, { ...options, window: { ...window, left: window.left + 1 } })
  })

  test('is found, made small, and found again by its seed and path', () => {
    const prey = hunt(numbers, [widerWindow], { seed: 7, cases: 500 })!
    expect(prey.problems).toMatch(/^planted: output\[\d+\]: .+ allowed/)
    // What remains is what matters: a left edge, a key before it, a row that would see that key.
    const { left, right, bias, keep, drop, sinks, softcap, batch, headDim } = prey.draft
    expect(left).toBeDefined()
    expect([right, bias, keep, drop, softcap]).toEqual(Array(5).fill(undefined))
    expect([sinks, batch, headDim]).toEqual([false, 1, 1])
    const again = hunt(numbers, [widerWindow], { seed: 7, path: prey.path, cases: 1 })!
    expect(again.draft).toEqual(prey.draft)
    expect(report('numbers', prey, ' --backend x')).toContain(
      `replay: node scripts/fuzz.mjs --hunt numbers --seed 7 --path ${prey.path} --backend x`,
    )
    expect(hunt(numbers, kernels.slice(-1), { seed: 7, path: prey.path, cases: 1 })).toBeUndefined()
  })

  test('that throws is found too, and who is right is named', () => {
    const throwing = planted(attention => (q, k, v, options) => {
      if (options?.softcap) throw new Error('no such kernel')
      return attention(q, k, v, options)
    })
    const prey = hunt(numbers, [throwing, ...kernels.slice(-1)], { seed: 7, cases: 500 })!
    expect(prey.problems).toMatch(/^planted: threw Error: no such kernel\n(?:.*\n)*right on: reference$/)
    expect(prey.draft.softcap).toBe(1)
  })
})
