/**
 * With every option at once, the bits of a row do not depend on the rows, heads and items around it: on WASM for
 * chunks of any size, since there is one kernel for all.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions } from '../src/index.ts'
import { encodeFloat16 } from './oracle/half.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { kernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const HEADS = 6
const KV_HEADS = 2
const QUERIES = 301
const KEYS = 333
const DIM = 10

const source = random(31)
const q = fillNormal(source, HEADS * QUERIES * DIM)
const k = fillNormal(source, KV_HEADS * KEYS * DIM)
const v = fillNormal(source, KV_HEADS * KEYS * DIM)
const bias = fillNormal(source, HEADS * QUERIES * KEYS).map(x => (x > 2 ? Number.NEGATIVE_INFINITY : x))
const keep = Uint8Array.from({ length: QUERIES * KEYS }, () => source.below(4))
const drop = Uint32Array.from({ length: QUERIES * Math.ceil(KEYS / 32) }, () => source.word() & source.word())
const sinks = fillNormal(source, HEADS)

/** Rows [from, to) of [heads, rows, width]. */
function cut<T extends Float32Array | Uint8Array | Uint32Array>(
  data: T,
  width: number,
  from: number,
  to: number,
): T {
  const heads = data.length / QUERIES / width
  const rows = to - from
  const out = new (data.constructor as new (length: number) => T)(heads * rows * width)
  for (let h = 0; h < heads; h++)
    out.set(data.subarray((h * QUERIES + from) * width, (h * QUERIES + to) * width), h * rows * width)
  return out
}

const halves = (data: Float32Array): Uint16Array => Uint16Array.from(data, encodeFloat16)

/** Rows [from, to) of the call, `copies` times as a batch; the bias in half precision or not. */
function run(api: Attention, from: number, to: number, half: boolean, copies = 1): Float32Array {
  const rows = to - from
  const times = (data: Float32Array): Float32Array =>
    Float32Array.from({ length: copies * data.length }, (_, at) => data[at % data.length])
  const part = cut(bias, KEYS, from, to)
  const biasDims = [1, HEADS, rows, KEYS]
  const options: AttentionOptions = {
    softcap: 3,
    alibi: true,
    sinks,
    causal: true,
    window: { left: 250 },
    queryOffset: KEYS - QUERIES + from,
    keep: { data: cut(keep, KEYS, from, to), dims: [rows, KEYS] },
    drop: { data: cut(drop, Math.ceil(KEYS / 32), from, to), dims: [rows, KEYS], bits: true },
    bias: half ? { data: halves(part), dims: biasDims, type: 'float16' } : { data: part, dims: biasDims },
  }
  const { output } = api.attentionWeights(
    { data: times(cut(q, DIM, from, to)), dims: [copies, HEADS, rows, DIM] },
    { data: times(k), dims: [copies, KV_HEADS, KEYS, DIM] },
    { data: times(v), dims: [copies, KV_HEADS, KEYS, DIM] },
    { ...options, want: [] },
  )
  return output.data as Float32Array
}

const wasm = kernels.filter(({ backend }) => backend.startsWith('wasm'))

describe.each(wasm.map(row => [row.name, row] as const))('%s', (_, platform) => {
  const api = platform.open()

  test.each([false, true])('chunks of rows, half-precision bias %s', half => {
    const whole = run(api, 0, QUERIES, half)
    for (const size of [1, 3, 16, 17, 100, 203]) {
      for (let from = 0; from < QUERIES; from += size * (size < 16 ? 29 : 1)) {
        const to = Math.min(from + size, QUERIES)
        const got = run(api, from, to, half)
        expect(compareBits(`rows ${from} to ${to}`, got, cut(whole, DIM, from, to))).toBeUndefined()
      }
    }
  })

  test('items of a batch, and again', () => {
    const alone = run(api, 0, QUERIES, false)
    const three = run(api, 0, QUERIES, false, 3)
    for (let b = 0; b < 3; b++) {
      const item = three.subarray(b * alone.length, (b + 1) * alone.length)
      expect(compareBits(`item ${b}`, item, alone)).toBeUndefined()
    }
  })
})
