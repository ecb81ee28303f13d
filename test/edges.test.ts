/**
 * Calls with nothing in them: no items, rows, keys, tokens or selected rows.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions } from '../src/index.ts'
import { guardedOutput } from './support/check.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const EMPTY = Number.NEGATIVE_INFINITY

function tensor(...dims: number[]): { data: Float32Array; dims: number[] } {
  return {
    data: fillNormal(
      random(1),
      dims.reduce((size, dim) => size * dim, 1),
    ),
    dims,
  }
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test('no batch items', () => {
    const part = api.attentionPartial(tensor(0, 2, 5, 8), tensor(0, 2, 7, 8), tensor(0, 2, 7, 8))
    expect(part.output).toMatchObject({ data: new Float32Array(0), dims: [0, 2, 5, 8] })
    expect(part.lse).toMatchObject({ data: new Float32Array(0), dims: [0, 2, 5] })
  })

  test('no query rows', () => {
    const part = api.attentionPartial(tensor(2, 2, 0, 8), tensor(2, 2, 7, 8), tensor(2, 2, 7, 8))
    expect(part.output).toMatchObject({ data: new Float32Array(0), dims: [2, 2, 0, 8] })
    expect(part.lse).toMatchObject({ data: new Float32Array(0), dims: [2, 2, 0] })
  })

  test.each([
    ['dense', {}],
    ['causal', { causal: 'bottom-right' }],
    ['lengths', { keyLengths: Int32Array.of(0, 0) }],
  ] as [string, AttentionOptions][])('no keys: %s', (_name, options) => {
    const guarded = guardedOutput([2, 2, 5, 3])
    const call = [tensor(2, 2, 5, 8), tensor(2, 2, 0, 8), tensor(2, 2, 0, 3)] as const
    api.attention(...call, { ...options, out: { data: guarded.data, dims: [2, 2, 5, 3] } })
    expect(guarded.problems()).toEqual([])
    expect(guarded.data.every(x => Object.is(x, 0))).toBe(true)
    const { lse, weights, mass } = api.attentionWeights(...call, { ...options, want: ['weights', 'mass'] })
    expect(lse.data.every(x => x === EMPTY)).toBe(true)
    expect(weights).toMatchObject({ data: new Float32Array(0), dims: [2, 2, 5, 0] })
    expect(mass).toMatchObject({ data: new Float32Array(0), dims: [2, 2, 0] })
  })

  test('nobody sees a key', () => {
    const call = [tensor(1, 2, 5, 8), tensor(1, 2, 7, 8), tensor(1, 2, 7, 8)] as const
    const nobody: AttentionOptions[] = [
      { keyLengths: Int32Array.of(0) },
      { queryLengths: Int32Array.of(0) },
      { leftPad: Int32Array.of(7) },
      { leftPad: Int32Array.of(5), keyLengths: Int32Array.of(3) },
      { causal: true, queryOffset: -5 },
      { window: { left: 2, right: 2 }, queryOffset: 9 },
      { keep: { data: new Uint8Array(7), dims: [7] } },
      { drop: { data: new Uint8Array(7).fill(2), dims: [7] } },
      { keep: { data: new Uint32Array(1), dims: [7], bits: true } },
      { bias: { data: new Float32Array(7).fill(EMPTY), dims: [7] } },
    ]
    for (const options of nobody) {
      const { output, lse, weights } = api.attentionWeights(...call, options)
      const name = Object.keys(options).join()
      expect(
        output.data.every(x => Object.is(x, 0)),
        name,
      ).toBe(true)
      expect(
        lse.data.every(x => x === EMPTY),
        name,
      ).toBe(true)
      expect(
        weights!.data.every(x => Object.is(x, 0)),
        name,
      ).toBe(true)
    }
  })

  test('a lowest finite bias everywhere is no mask', () => {
    const bias = { data: new Float32Array(7).fill(-3.4028234663852886e38), dims: [7] }
    const v = tensor(1, 1, 7, 4)
    const { output } = api.attentionWeights(tensor(1, 1, 2, 4), tensor(1, 1, 7, 4), v, { bias })
    let mean = 0
    for (let j = 0; j < 7; j++) mean += v.data[4 * j] / 7
    expect(output.data[0]).toBeCloseTo(mean, 5)
  })

  test('ragged: no tokens, and no sequences', () => {
    const none = Int32Array.of(0, 0, 0)
    const part = api.attentionPartial(tensor(0, 2, 8), tensor(0, 2, 8), tensor(0, 2, 8), {
      cuSeqlens: { q: none, k: none },
    })
    expect(part.output).toMatchObject({ data: new Float32Array(0), dims: [0, 2, 8] })
    expect(part.lse).toMatchObject({ data: new Float32Array(0), dims: [0, 2] })
    const zero = Int32Array.of(0)
    const empty = api.attention(tensor(0, 2, 8), tensor(0, 2, 8), tensor(0, 2, 8), {
      cuSeqlens: { q: zero, k: zero },
    })
    expect(empty.dims).toEqual([0, 2, 8])
  })

  test('no selected rows', () => {
    const rows = new Int32Array(0)
    const call = [tensor(1, 2, 5, 8), tensor(1, 2, 7, 8), tensor(1, 2, 7, 8)] as const
    const { weights, mass, output } = api.attentionWeights(...call, { rows, want: ['weights', 'mass'] })
    expect(weights).toMatchObject({ data: new Float32Array(0), dims: [1, 2, 0, 7] })
    expect([...mass!.data]).toEqual(new Array(14).fill(0))
    expect(output.data.some(x => x !== 0)).toBe(true)
  })

  test('one of everything', () => {
    const one = { data: Float32Array.of(3), dims: [1, 1] }
    const { output, lse, weights } = api.attentionWeights(one, one, {
      data: Float32Array.of(-2.5),
      dims: [1, 1],
    })
    expect(output.data[0]).toBeCloseTo(-2.5, 5)
    expect(lse.data[0]).toBeCloseTo(9, 5)
    expect(weights!.data[0]).toBeCloseTo(1, 6)
  })
})
