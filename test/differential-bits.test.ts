/**
 * Drawn calls against themselves put otherwise: the same bits again, on any number of threads, for an item alone or
 * among others, ragged or one by one, rows whole or in chunks of more than 16.
 * @module
 */
import { expect, test } from 'vitest'
import { hunt, report } from './support/fuzz/hunt.ts'
import { HUNTS } from './support/fuzz/hunts.ts'
import { planted } from './support/fuzz/planted.ts'
import { kernels } from './support/platforms.ts'
import { SEED } from './support/random.ts'
import './support/replay.ts'

const CASES = 150
const bits = HUNTS[1]

test(`${CASES} drawn calls have the same bits however they are put`, () => {
  const prey = hunt(bits, kernels, { seed: SEED, cases: CASES })
  expect(prey && report(bits.name, prey)).toBeUndefined()
})

const nudge = (data: Float32Array | Uint16Array, at: number): void => {
  if (data instanceof Float32Array) data[at] = Math.fround(data[at] * (1 + 2 ** -23))
}

test('a bit that depends on the neighbours is found', () => {
  const dependent = planted(attention => (q, k, v, options) => {
    const output = attention(q, k, v, options)
    if (q.dims.length === 4 && q.dims[0] > 1) nudge(output.data, output.data.length - 1)
    return output
  })
  const prey = hunt(bits, [dependent], { seed: 7, cases: 500 })!
  expect(prey.problems).toMatch(/^planted: item 1, rows 0 to 1, alone: \[0\] is .+ of other bits/)
  expect(prey.draft.batch).toBe(2)
})

test('a bit that depends on the number of rows is found, where rows are many', () => {
  const dependent = planted(attention => (q, k, v, options) => {
    const output = attention(q, k, v, options)
    if (q.dims.length === 4 && q.dims[2] > 40) nudge(output.data, 0)
    return output
  })
  const prey = hunt(bits, [dependent], { seed: 7, cases: 500 })!
  expect(prey.problems).toMatch(/^planted: item \d, rows \d+ to \d+, alone: \[0\] is/)
  expect(prey.draft.queries).toBeGreaterThan(40)
})
