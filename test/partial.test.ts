/**
 * Attention over parts of the keys, merged: the same as over all of them.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Partial, Tensor } from '../src/index.ts'
import { mergePartials } from '../src/index.ts'
import { oracle } from './oracle/oracle.ts'
import type { OracleOptions, OracleResult } from './oracle/types.ts'
import { lseTruth, outputTruth } from './support/check.ts'
import { compare } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const BATCH = 2
const HEADS = 6
const KV_HEADS = 2
const QUERIES = 21
const KEYS = 150
const DIM = 24
const VALUE_DIM = 10

type Layout = 'bhsd' | 'bshd'
const source = random(41)
const q = fillNormal(source, BATCH * HEADS * QUERIES * DIM)
const k = fillNormal(source, BATCH * KV_HEADS * KEYS * DIM)
const v = fillNormal(source, BATCH * KV_HEADS * KEYS * VALUE_DIM)

function tensor(data: Float32Array, layout: Layout, heads: number, rows: number, channels: number) {
  return { data, dims: layout === 'bhsd' ? [BATCH, heads, rows, channels] : [BATCH, rows, heads, channels] }
}

/** Keys [from, to) of a tensor of keys or values. */
function cut(data: Float32Array, layout: Layout, channels: number, from: number, to: number) {
  const blocks = layout === 'bhsd' ? BATCH * KV_HEADS : BATCH
  const row = layout === 'bhsd' ? channels : KV_HEADS * channels
  const parts = Array.from({ length: blocks }, (_, n) => [
    ...data.subarray((n * KEYS + from) * row, (n * KEYS + to) * row),
  ])
  return tensor(Float32Array.from(parts.flat()), layout, KV_HEADS, to - from, channels)
}

/** The parts between neighbouring cuts; positions shift with the first key. */
function partsOf(
  api: Attention,
  layout: Layout,
  cuts: number[],
  offset: number | undefined,
  options: AttentionOptions,
): Partial[] {
  return cuts.slice(1).map((to, n) => {
    const from = cuts[n]
    return api.attentionPartial(
      tensor(q, layout, HEADS, QUERIES, DIM),
      cut(k, layout, DIM, from, to),
      cut(v, layout, VALUE_DIM, from, to),
      { ...options, layout, ...(offset !== undefined && { queryOffset: offset - from }) },
    )
  })
}

/** What the oracle says of all keys at once: dense, and a causal window with sinks. */
const SINKS = fillNormal(random(5), HEADS)
const WINDOW = { causal: true, window: { left: 70 } } as const

function truthOf(layout: Layout, options: OracleOptions): OracleResult {
  return oracle(
    tensor(q, layout, HEADS, QUERIES, DIM),
    tensor(k, layout, KV_HEADS, KEYS, DIM),
    tensor(v, layout, KV_HEADS, KEYS, VALUE_DIM),
    { ...options, layout },
  )
}

const truths = (layout: Layout) => ({
  dense: truthOf(layout, {}),
  window: truthOf(layout, { ...WINDOW, queryOffset: 60, sinks: SINKS }),
})
const TRUTHS = { bhsd: truths('bhsd'), bshd: truths('bshd') }

const CUTS = [
  [0, 150],
  [0, 75, 150],
  [0, 1, 2, 149, 150],
  [0, 0, 64, 64, 128, 150, 150],
]

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()
  for (const layout of ['bhsd', 'bshd'] as const) {
    for (const cuts of CUTS) {
      test(`dense ${layout}, cut at ${cuts.join(' ')}`, () => {
        const truth = TRUTHS[layout].dense
        const merged = mergePartials(partsOf(api, layout, cuts, undefined, {}))
        expect(merged.output.dims).toEqual(truth.outputDims)
        expect(merged.lse.dims).toEqual(truth.lseDims)
        expect(compare('output', merged.output.data, outputTruth(truth))).toBeUndefined()
        expect(compare('lse', merged.lse.data, lseTruth(truth))).toBeUndefined()
      })

      test(`causal window with sinks ${layout}, cut at ${cuts.join(' ')}`, () => {
        const truth = TRUTHS[layout].window
        const merged = mergePartials(partsOf(api, layout, cuts, 60, WINDOW), { sinks: SINKS })
        expect(compare('output', merged.output.data, outputTruth(truth))).toBeUndefined()
        expect(compare('lse', merged.lse.data, lseTruth(truth))).toBeUndefined()
      })
    }
  }

  test('merged in any grouping, to rounding', () => {
    const [a, b, c] = partsOf(api, 'bhsd', [0, 40, 90, 150], undefined, {})
    const flat = mergePartials([a, b, c])
    const left = mergePartials([mergePartials([a, b]), c])
    const right = mergePartials([a, mergePartials([b, c])])
    const turned = mergePartials([c, a, b])
    for (const other of [left, right, turned]) {
      for (let i = 0; i < flat.output.data.length; i++) {
        expect(Math.abs(other.output.data[i] - flat.output.data[i])).toBeLessThan(1e-6)
      }
    }
  })

  test('ranks 2 and 3, and ragged', () => {
    const rank2 = (data: Float32Array, rows: number) => ({
      data: data.subarray(0, rows * 8),
      dims: [rows, 8],
    })
    const whole = api.attention(rank2(q, 9), rank2(k, 40), rank2(v, 40))
    const second = (data: Float32Array) => ({ data: data.subarray(13 * 8, 40 * 8), dims: [27, 8] })
    const parts = [
      api.attentionPartial(rank2(q, 9), rank2(k, 13), rank2(v, 13)),
      api.attentionPartial(rank2(q, 9), second(k), second(v)),
    ]
    expect(parts[0].lse.dims).toEqual([1, 1, 9])
    close(mergePartials(parts).output, whole)

    const rank3 = (data: Float32Array, rows: number, first = 0) => ({
      data: data.subarray(first * 24, (first + rows) * 24),
      dims: [1, rows, 24],
    })
    const threes = [
      api.attentionPartial(rank3(q, 9), rank3(k, 13), rank3(v, 13), { heads: 3 }),
      api.attentionPartial(rank3(q, 9), rank3(k, 7, 13), rank3(v, 7, 13), { heads: 3 }),
    ]
    expect(threes[0].lse.dims).toEqual([1, 3, 9])
    close(mergePartials(threes).output, api.attention(rank3(q, 9), rank3(k, 20), rank3(v, 20), { heads: 3 }))

    const ragged = (data: Float32Array, rows: number, first = 0) => ({
      ...rank3(data, rows, first),
      dims: [rows, 3, 8],
    })
    const seqs = (...k: number[]) => ({ q: Int32Array.of(0, 4, 9), k: Int32Array.from(k) })
    const one = api.attentionPartial(ragged(q, 9), ragged(k, 13), ragged(v, 13), {
      cuSeqlens: seqs(0, 13, 13),
    })
    const two = api.attentionPartial(ragged(q, 9), ragged(k, 7, 13), ragged(v, 7, 13), {
      cuSeqlens: seqs(0, 0, 7),
    })
    expect(one.lse.dims).toEqual([9, 3])
    const merged = mergePartials([one, two])
    close(
      merged.output,
      api.attention(ragged(q, 9), ragged(k, 20), ragged(v, 20), { cuSeqlens: seqs(0, 13, 20) }),
    )
  })
})

function close(a: Tensor, b: Tensor): void {
  expect(a.dims).toEqual(b.dims)
  for (let i = 0; i < a.data.length; i++) expect(Math.abs(a.data[i] - b.data[i])).toBeLessThan(1e-6)
}

describe('mergePartials by hand', () => {
  const part = (output: number[], lse: number[]): Partial => ({
    output: { data: Float32Array.from(output), dims: [1, lse.length, 1, output.length / lse.length] },
    lse: { data: Float32Array.from(lse), dims: [1, lse.length, 1] },
  })
  const empty = Number.NEGATIVE_INFINITY

  test('weights parts by exp(lse)', () => {
    const { output, lse } = mergePartials([part([1, 10], [0]), part([4, 40], [Math.log(2)])])
    expect([...output.data]).toEqual([3, 30])
    expect(lse.data[0]).toBeCloseTo(Math.log(3), 6)
  })

  test('empty parts merge to empty', () => {
    const { output, lse } = mergePartials([part([0, 0], [empty]), part([0, 0], [empty])])
    expect([...output.data]).toEqual([0, 0])
    expect(lse.data[0]).toBe(empty)
    const beside = mergePartials([part([7, 8], [3]), part([0, 0], [empty])])
    expect([...beside.output.data]).toEqual([7, 8])
    expect(beside.lse.data[0]).toBe(3)
  })

  test('garbage in an empty part does not matter', () => {
    const { output } = mergePartials([part([7, 8], [3]), part([Number.NaN, Number.NaN], [empty])])
    expect([...output.data]).toEqual([7, 8])
  })

  test('a sink joins the denominator once and is not in the lse', () => {
    const { output, lse } = mergePartials([part([6, 60], [0]), part([6, 60], [0])], {
      sinks: Float32Array.of(Math.log(2)),
    })
    expect(output.data[0]).toBeCloseTo(3, 5)
    expect(output.data[1]).toBeCloseTo(30, 4)
    expect(lse.data[0]).toBeCloseTo(Math.log(2), 6)
  })

  test('a sink far above every score leaves the lse of the keys', () => {
    const { output, lse } = mergePartials([part([6, 60], [0.5])], { sinks: Float32Array.of(1000) })
    expect([...output.data]).toEqual([0, 0])
    expect(lse.data[0]).toBe(0.5)
  })

  test('a sink on an empty row', () => {
    const { output, lse } = mergePartials([part([0, 0], [empty])], { sinks: Float32Array.of(2) })
    expect([...output.data]).toEqual([0, 0])
    expect(lse.data[0]).toBe(empty)
  })

  test('NaN goes through', () => {
    const { output, lse } = mergePartials([part([Number.NaN, Number.NaN], [Number.NaN]), part([1, 2], [0])])
    expect([...output.data]).toEqual([Number.NaN, Number.NaN])
    expect(lse.data[0]).toBe(Number.NaN)
  })

  test('large lse do not overflow', () => {
    const { output, lse } = mergePartials([part([1, 1], [500]), part([3, 3], [500])])
    expect([...output.data]).toEqual([2, 2])
    expect(lse.data[0]).toBeCloseTo(500 + Math.log(2), 3)
  })
})
