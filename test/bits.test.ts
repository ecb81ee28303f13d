/**
 * The same bits for any batch, layout, neighbour, padding, thread count and repeat on one backend and ISA;
 * and for chunks of more than 16 query rows.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { platforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import { seedOf } from './support/sweep.ts'
import './support/replay.ts'

interface Sizes {
  heads: number
  kvHeads: number
  queries: number
  keys: number
  headDim: number
  valueDim: number
}

const SHAPES: Sizes[] = [
  { heads: 1, kvHeads: 1, queries: 129, keys: 129, headDim: 16, valueDim: 16 },
  { heads: 2, kvHeads: 2, queries: 200, keys: 143, headDim: 33, valueDim: 7 },
  { heads: 6, kvHeads: 2, queries: 71, keys: 300, headDim: 8, valueDim: 8 },
  { heads: 4, kvHeads: 1, queries: 97, keys: 97, headDim: 65, valueDim: 65 },
]

const FORMS: { name: string; options: (sizes: Sizes) => AttentionOptions }[] = [
  { name: 'dense', options: () => ({}) },
  { name: 'causal', options: ({ queries, keys }) => ({ causal: true, queryOffset: keys - queries }) },
  { name: 'window', options: () => ({ window: { left: 40, right: 3 }, queryOffset: 5 }) },
]

const nameOf = (s: Sizes): string =>
  `h${s.heads}:${s.kvHeads} q${s.queries} k${s.keys} d${s.headDim} v${s.valueDim}`

interface Item {
  q: Float32Array
  k: Float32Array
  v: Float32Array
}

function drawItem(s: Sizes, n: number): Item {
  const source = random(seedOf(nameOf(s), n))
  return {
    q: fillNormal(source, s.heads * s.queries * s.headDim),
    k: fillNormal(source, s.kvHeads * s.keys * s.headDim),
    v: fillNormal(source, s.kvHeads * s.keys * s.valueDim),
  }
}

/** [heads, rows, channels] cut to some rows. */
function rowsOf(data: Float32Array, heads: number, channels: number, from: number, to: number): Float32Array {
  const rows = data.length / heads / channels
  const parts = Array.from({ length: heads }, (_, h) =>
    data.subarray((h * rows + from) * channels, (h * rows + to) * channels),
  )
  return concat(parts)
}

function concat(parts: Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap(part => [...part]))
}

/** [heads, rows, channels] to [rows, heads, channels]. */
function headsLast(data: Float32Array, heads: number, channels: number): Float32Array {
  const rows = data.length / heads / channels
  return data.map((_, at) => {
    const row = Math.floor(at / (heads * channels))
    const head = Math.floor(at / channels) % heads
    return data[(head * rows + row) * channels + (at % channels)]
  })
}

const numbers = (tensor: Tensor): Float32Array => tensor.data as Float32Array

function runItem(
  api: Attention,
  s: Sizes,
  item: Item,
  options: AttentionOptions,
  queries: number = s.queries,
): Float32Array {
  return numbers(
    api.attention(
      { data: item.q, dims: [1, s.heads, queries, s.headDim] },
      { data: item.k, dims: [1, s.kvHeads, s.keys, s.headDim] },
      { data: item.v, dims: [1, s.kvHeads, s.keys, s.valueDim] },
      options,
    ),
  )
}

for (const platform of platforms) {
  describe(platform.name, () => {
    const api = platform.open()
    for (const s of SHAPES) {
      for (const form of FORMS) {
        const options = form.options(s)
        const item = drawItem(s, 0)
        const name = `${nameOf(s)} ${form.name}`

        test(`${name}: again`, () => {
          const first = runItem(api, s, item, options)
          for (let n = 0; n < 3; n++)
            expect(compareBits('repeat', runItem(api, s, item, options), first)).toBeUndefined()
        })

        test(`${name}: chunks of more than 16 rows`, () => {
          const whole = runItem(api, s, item, options)
          for (const size of [17, 32, 40]) {
            for (let from = 0; from < s.queries; from += size) {
              const to = s.queries - from < 2 * size ? s.queries : from + size
              const chunk = { ...item, q: rowsOf(item.q, s.heads, s.headDim, from, to) }
              const moved = {
                ...options,
                ...(options.queryOffset !== undefined && { queryOffset: Number(options.queryOffset) + from }),
              }
              const got = runItem(api, s, chunk, moved, to - from)
              const want = rowsOf(whole, s.heads, s.valueDim, from, to)
              expect(compareBits(`rows ${from} to ${to}`, got, want)).toBeUndefined()
              if (to === s.queries) break
            }
          }
        })

        test(`${name}: small chunks, to rounding and the same every time`, () => {
          const whole = runItem(api, s, item, options)
          for (const [from, to] of [
            [0, 1],
            [3, 8],
            [20, 36],
            [s.queries - 1, s.queries],
          ]) {
            const chunk = { ...item, q: rowsOf(item.q, s.heads, s.headDim, from, to) }
            const moved = {
              ...options,
              ...(options.queryOffset !== undefined && { queryOffset: Number(options.queryOffset) + from }),
            }
            const got = runItem(api, s, chunk, moved, to - from)
            expect(compareBits('again', runItem(api, s, chunk, moved, to - from), got)).toBeUndefined()
            const want = rowsOf(whole, s.heads, s.valueDim, from, to)
            for (let i = 0; i < got.length; i++) expect(Math.abs(got[i] - want[i])).toBeLessThan(2e-6)
          }
        })

        test(`${name}: in a batch, between other items`, () => {
          const items = [drawItem(s, 1), item, drawItem(s, 2)]
          const got = numbers(
            api.attention(
              { data: concat(items.map(({ q }) => q)), dims: [3, s.heads, s.queries, s.headDim] },
              { data: concat(items.map(({ k }) => k)), dims: [3, s.kvHeads, s.keys, s.headDim] },
              { data: concat(items.map(({ v }) => v)), dims: [3, s.kvHeads, s.keys, s.valueDim] },
              options,
            ),
          )
          items.forEach((one, b) => {
            const size = got.length / 3
            const alone = runItem(api, s, one, options)
            expect(compareBits(`item ${b}`, got.subarray(b * size, (b + 1) * size), alone)).toBeUndefined()
          })
        })

        test(`${name}: heads last, and ragged`, () => {
          const alone = headsLast(runItem(api, s, item, options), s.heads, s.valueDim)
          const q = headsLast(item.q, s.heads, s.headDim)
          const k = headsLast(item.k, s.kvHeads, s.headDim)
          const v = headsLast(item.v, s.kvHeads, s.valueDim)
          const bshd = api.attention(
            { data: q, dims: [1, s.queries, s.heads, s.headDim] },
            { data: k, dims: [1, s.keys, s.kvHeads, s.headDim] },
            { data: v, dims: [1, s.keys, s.kvHeads, s.valueDim] },
            { ...options, layout: 'bshd' },
          )
          expect(compareBits('bshd', numbers(bshd), alone)).toBeUndefined()
          // Three sequences in a row: five rows of another one, ours, and one without keys.
          const other = fillNormal(random(9), 5 * s.heads * s.headDim)
          const otherKeys = fillNormal(random(10), 11 * s.kvHeads * s.headDim)
          const otherValues = fillNormal(random(11), 11 * s.kvHeads * s.valueDim)
          const position = {
            ...(options.queryOffset !== undefined && {
              queryOffset: Int32Array.of(0, Number(options.queryOffset), 0),
            }),
          }
          const ragged = api.attention(
            { data: concat([other, q, other]), dims: [s.queries + 10, s.heads, s.headDim] },
            { data: concat([otherKeys, k]), dims: [s.keys + 11, s.kvHeads, s.headDim] },
            { data: concat([otherValues, v]), dims: [s.keys + 11, s.kvHeads, s.valueDim] },
            {
              ...options,
              ...position,
              cuSeqlens: {
                q: Int32Array.of(0, 5, 5 + s.queries, 10 + s.queries),
                k: Int32Array.of(0, 11, 11 + s.keys, 11 + s.keys),
              },
            },
          )
          const row = s.heads * s.valueDim
          const middle = numbers(ragged).subarray(5 * row, (5 + s.queries) * row)
          expect(compareBits('ragged', middle, alone)).toBeUndefined()
          expect(
            numbers(ragged)
              .subarray((5 + s.queries) * row)
              .every(x => x === 0),
          ).toBe(true)
        })

        test(`${name}: padded behind the keys and the rows`, () => {
          const alone = runItem(api, s, item, options)
          const pad = (
            data: Float32Array,
            heads: number,
            rows: number,
            channels: number,
            more: number,
          ): Float32Array => {
            const junk = new Float32Array(more * channels).fill(Number.NaN)
            return concat(
              Array.from({ length: heads }, (_, h) =>
                concat([data.subarray(h * rows * channels, (h + 1) * rows * channels), junk]),
              ),
            )
          }
          const got = numbers(
            api.attention(
              {
                data: pad(item.q, s.heads, s.queries, s.headDim, 9),
                dims: [1, s.heads, s.queries + 9, s.headDim],
              },
              {
                data: pad(item.k, s.kvHeads, s.keys, s.headDim, 70),
                dims: [1, s.kvHeads, s.keys + 70, s.headDim],
              },
              {
                data: pad(item.v, s.kvHeads, s.keys, s.valueDim, 70),
                dims: [1, s.kvHeads, s.keys + 70, s.valueDim],
              },
              { ...options, keyLengths: Int32Array.of(s.keys), queryLengths: Int32Array.of(s.queries) },
            ),
          )
          expect(
            compareBits('valid rows', rowsOf(got, s.heads, s.valueDim, 0, s.queries), alone),
          ).toBeUndefined()
          expect(rowsOf(got, s.heads, s.valueDim, s.queries, s.queries + 9).every(x => x === 0)).toBe(true)
        })
      }
    }
  })
}

const threaded = platforms.filter(({ threads }) => threads > 1)

test.skipIf(threaded.length === 0)('the threads of one call never change a bit', () => {
  for (const platform of threaded) {
    const api = platform.open()
    for (const s of SHAPES) {
      const item = drawItem(s, 3)
      const one = runItem(api, s, item, { threads: 1 })
      for (let n = 0; n < 5; n++) {
        const two = runItem(api, s, item, { threads: 2 })
        expect(compareBits(`${platform.name} ${nameOf(s)}`, two, one)).toBeUndefined()
      }
    }
  }
})
