/**
 * Looking inside, parts and plans over a cache.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../src/index.ts'
import { KvCache } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleTensor } from './oracle/types.ts'
import { bits, filled, Model, maskOf, queries } from './support/cache-model.ts'
import { lseTruth, outputTruth } from './support/check.ts'
import { compare } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()
  const sizes = { batch: 2, kvHeads: 2, headDim: 12, valueDim: 9 }
  const { cache, model } = filled(sizes, 200, [60])
  const { k, v } = model.dense()
  const q = queries(21, 2, 4, 6, 12)

  test('weights, scores at every step, mass and lse are those of the same keys in one piece', () => {
    const options = { causal: true, softcap: 2, keep: maskOf(5, [200]), rows: Int32Array.of(5, 0) } as const
    for (const scoresAt of ['scaled', 'capped', 'masked'] as const) {
      const want = { want: ['weights', 'scores', 'mass'], scoresAt } as const
      const got = api.attentionWeights(q, cache, { ...options, ...want })
      const plain = api.attentionWeights(q, k, v, { ...options, ...want, queryOffset: 194 })
      expect(got.weights!.dims).toEqual([2, 4, 2, 200])
      for (const name of ['output', 'lse', 'weights', 'scores', 'mass'] as const)
        expect(bits(name, got[name]!, plain[name]!)).toBeUndefined()
    }
  })

  test('keys that an item does not have get no weight, no score and no mass', () => {
    const uneven = cache.fork()
    uneven.truncate(Int32Array.of(200, 3))
    const { weights, scores, mass } = api.attentionWeights(q, uneven, { want: ['weights', 'scores', 'mass'] })
    const second = (tensor: Tensor) => tensor.data.subarray(tensor.data.length / 2) as Float32Array
    for (let at = 0; at < second(weights!).length; at++) {
      if (at % 200 < 3) continue
      expect(second(weights!)[at]).toBe(0)
      expect(second(scores!)[at]).toBe(Number.NEGATIVE_INFINITY)
    }
    expect(second(mass!).every((x, at) => at % 200 < 3 || x === 0)).toBe(true)
  })

  test('a part over a cache merges with a part over other keys', () => {
    const more = new Model(sizes)
    const { k: k2, v: v2 } = more.draw(random(22), 37)
    const sinks = fillNormal(random(23), 4)
    const parts = [api.attentionPartial(q, cache), api.attentionPartial(q, k2, v2)]
    const merged = api.mergePartials(parts, { sinks })
    const both = model.fork()
    for (const [b, tokens] of both.items.entries()) tokens.push(...more.items[b])
    const all = both.dense()
    const truth = oracle(q as OracleTensor, all.k as OracleTensor, all.v as OracleTensor, { sinks })
    expect(compare('output', merged.output.data, outputTruth(truth))).toBeUndefined()
    expect(compare('lse', merged.lse.data, lseTruth(truth))).toBeUndefined()
  })

  test('plan() counts what a cache makes it read', () => {
    const uneven = cache.fork()
    uneven.truncate(Int32Array.of(200, 150))
    const plan = api.plan(q, uneven, { causal: true })
    // Six rows of four heads, the last of which sees all tokens of its item.
    const pairs = 4 * (6 * (200 + 150) - 2 * 15)
    expect(plan).toMatchObject({ pairs, keys: 200, queries: 6, heads: 4, kvHeads: 2, batch: 2 })
    expect(plan).toMatchObject({ backend: platform.backend, missing: [] })
    expect(plan.flops).toBe(2 * pairs * 21)
    expect(plan.bytes).toBe(4 * (2 * 6 * 4 * 21 + 350 * 2 * 21))
  })

  test('load() has the class too', () => {
    expect(api.KvCache).toBe(KvCache)
  })
})
