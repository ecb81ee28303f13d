/**
 * Few query rows against long keys: every number of rows from 1 to 17, groups, and keys around the edges of chunks
 * (1024), against the oracle; and the same bits for any threads, neighbours and pages.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { KvCache } from '../src/index.ts'
import { checkCase } from './support/check.ts'
import { compareBits } from './support/compare.ts'
import { CHUNK, decodeCases } from './support/decode-cases.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels, platforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const native = namedKernels.filter(([, { backend }]) => backend === 'native')

// Named from the case down, and nothing where no addon is: an empty suite would be an error.
const each = decodeCases().flatMap(c =>
  native.map(([name, platform]) => [c.name, name, c, platform] as const),
)
test.each(each)('%s > %s', (_, __, c, platform) => {
  expect(checkCase(c, platform.open()).problems).toEqual([])
})

interface Item {
  q: Tensor
  k: Tensor
  v: Tensor
}

const SIZES = { heads: 6, kvHeads: 2, headDim: 20, valueDim: 18 }

function drawItem(queries: number, keys: number, seed: number): Item {
  const { heads, kvHeads, headDim, valueDim } = SIZES
  const source = random(seed)
  const tensor = (count: number, rows: number, channels: number): Tensor => ({
    data: fillNormal(source, count * rows * channels),
    dims: [1, count, rows, channels],
  })
  return {
    q: tensor(heads, queries, headDim),
    k: tensor(kvHeads, keys, headDim),
    v: tensor(kvHeads, keys, valueDim),
  }
}

const run = (api: Attention, { q, k, v }: Item, options: AttentionOptions = {}): Float32Array =>
  api.attention(q, k, v, options).data as Float32Array

/** Items of one number of rows in a batch whose keys are as long as the longest, NaN behind their own. */
function batchOf(items: Item[]): Item & { keyLengths: Int32Array } {
  const lengths = items.map(({ k }) => k.dims[2])
  const most = Math.max(...lengths)
  const pad = (part: 'k' | 'v'): Tensor => {
    const [, heads, , channels] = items[0][part].dims
    const data = new Float32Array(items.length * heads * most * channels).fill(Number.NaN)
    items.forEach((item, b) => {
      const size = lengths[b] * channels
      for (let h = 0; h < heads; h++)
        data.set(item[part].data.subarray(h * size, (h + 1) * size), (b * heads + h) * most * channels)
    })
    return { data, dims: [items.length, heads, most, channels] }
  }
  const [, heads, queries, channels] = items[0].q.dims
  const q = new Float32Array(items.length * heads * queries * channels)
  items.forEach(({ q: { data } }, b) => {
    q.set(data as Float32Array, b * data.length)
  })
  const dims = [items.length, heads, queries, channels]
  return { q: { data: q, dims }, k: pad('k'), v: pad('v'), keyLengths: Int32Array.from(lengths) }
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test.each([1, 2, 5, 16])(
    '%i rows: every item of a batch of different lengths as if it were alone',
    rows => {
      const items = [3000, 5, CHUNK, CHUNK + 1, 64, 1].map((keys, n) => drawItem(rows, keys, n))
      const { keyLengths, ...all } = batchOf(items)
      const got = run(api, all, { keyLengths })
      items.forEach((item, b) => {
        const size = got.length / items.length
        expect(
          compareBits(`item ${b}`, got.subarray(b * size, (b + 1) * size), run(api, item)),
        ).toBeUndefined()
      })
    },
  )

  test('rows behind queryLengths change nothing, and are 0', () => {
    const item = drawItem(3, 1500, 7)
    const { heads, headDim, valueDim } = SIZES
    const q = new Float32Array(heads * 40 * headDim).fill(Number.NaN)
    for (let h = 0; h < heads; h++)
      q.set(item.q.data.subarray(h * 3 * headDim, (h + 1) * 3 * headDim), h * 40 * headDim)
    const padded = { ...item, q: { data: q, dims: [1, heads, 40, headDim] } }
    const got = run(api, padded, { queryLengths: Int32Array.of(3) })
    const own = run(api, item)
    for (let h = 0; h < heads; h++) {
      const from = h * 40 * valueDim
      const valid = got.subarray(from, from + 3 * valueDim)
      expect(
        compareBits(`head ${h}`, valid, own.subarray(h * 3 * valueDim, (h + 1) * 3 * valueDim)),
      ).toBeUndefined()
      expect(got.subarray(from + 3 * valueDim, from + 40 * valueDim).every(x => x === 0)).toBe(true)
    }
  })

  test.each([1, 4, 16])('%i rows: pages of a cache give the bits of the same keys in one piece', rows => {
    const item = drawItem(rows, 2500, 9)
    const { heads: _heads, ...sizes } = SIZES
    const cache = new KvCache({ batch: 1, ...sizes })
    cache.append(item.k, item.v)
    const options = { causal: true, queryOffset: 2500 - rows }
    const got = api.attention(item.q, cache, { causal: true }).data as Float32Array
    expect(compareBits('pages', got, run(api, item, options))).toBeUndefined()
  })

  test('what nobody attends to may be NaN or infinite, in any chunk', () => {
    const item = drawItem(2, 2600, 10)
    const keep = { data: new Uint8Array(2600), dims: [2600] }
    keep.data.fill(1, CHUNK + 5, CHUNK + 40)
    const clean = run(api, item, { keep })
    const spoil = ({ data, dims }: Tensor): Tensor => ({
      data: (data as Float32Array).map((x, at) => {
        if (keep.data[Math.floor(at / dims[3]) % dims[2]]) return x
        return at % 3 ? Number.NaN : Number.POSITIVE_INFINITY
      }),
      dims,
    })
    const spoilt = { q: item.q, k: spoil(item.k), v: spoil(item.v) }
    expect(compareBits('spoilt', run(api, spoilt, { keep }), clean)).toBeUndefined()
  })

  test('weights come with the same output', () => {
    const { q, k, v } = drawItem(3, 1300, 12)
    const { output } = api.attentionWeights(q, k, v)
    expect(compareBits('output', output.data as Float32Array, run(api, { q, k, v }))).toBeUndefined()
  })
})

test('the threads of one call never change a bit', () => {
  for (const platform of platforms.filter(({ threads }) => threads > 1)) {
    const api = platform.open()
    for (const [rows, keys] of [
      [1, 5000],
      [5, 4100],
      [16, 3000],
    ]) {
      const item = drawItem(rows, keys, rows)
      const one = run(api, item, { threads: 1 })
      for (const threads of [2, 3, 7]) {
        for (let n = 0; n < 5; n++)
          expect(compareBits(platform.name, run(api, item, { threads }), one)).toBeUndefined()
      }
    }
  }
})

describe.each(native)('%s: plan()', (_, platform) => {
  const api = platform.open()
  const planOf = (rows: number, keys: number) => {
    const { q, k, v } = drawItem(rows, keys, 1)
    return api.plan(q, k, v)
  }

  test.each([
    [1, 1, 1],
    [1, CHUNK, 1],
    [16, CHUNK + 1, 2],
    [4, 5 * CHUNK, 5],
  ])('%i rows and %i keys are decoded in %i chunks', (rows, keys, split) => {
    const plan = planOf(rows, keys)
    expect(plan).toMatchObject({ kernel: 'decode', split, tasks: split * SIZES.kvHeads })
    expect(plan.scratchBytes).toBeGreaterThan(0)
  })

  test('17 rows are not', () => {
    expect(planOf(17, 3 * CHUNK)).toMatchObject({ kernel: 'prefill', split: 1 })
  })

  test('a batch of both says so', () => {
    const { q, k, v } = drawItem(20, 300, 1)
    const two = ({ data, dims }: Tensor): Tensor => ({
      data: Float32Array.of(...(data as Float32Array), ...(data as Float32Array)),
      dims: [2, ...dims.slice(1)],
    })
    const plan = api.plan(two(q), two(k), two(v), { queryLengths: Int32Array.of(20, 2) })
    expect(plan).toMatchObject({ kernel: 'prefill, decode', split: 1 })
  })
})
