/**
 * Repeated calls: a call like an earlier one skips its checks and must not differ for it, whatever has changed.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { type AttentionOptions, load, type Tensor } from '../src/index.ts'
import { evaluate, hasAddon, runChild } from './support/child.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { kernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const [{ backend, isa }] = kernels
const open = () => load({ backend, ...(isa && { isa }) } as Parameters<typeof load>[0])
type Api = ReturnType<typeof open>

const source = random(7)
const tensor = (...dims: number[]): Tensor => ({
  data: fillNormal(
    source,
    dims.reduce((a, b) => a * b),
  ),
  dims,
})
const [BATCH, HEADS, ROWS, DIM] = [2, 2, 6, 8]
const [q, k, v] = [1, 2, 3].map(() => tensor(BATCH, HEADS, ROWS, DIM))

/** What a call gives or throws, said in a way that can be compared. */
function outcome(api: Api, ...call: unknown[]): string {
  try {
    const { data, dims, type } = api.attention(...(call as [Tensor, Tensor, Tensor]))
    return JSON.stringify([[...data], dims, type])
  } catch (error) {
    return String(error)
  }
}

/** The same as functions that remember nothing, on the first call and on all that follow. */
function expectAsNew(api: Api, ...call: unknown[]): void {
  const expected = outcome(open(), ...call)
  for (let n = 0; n < 3; n++) expect(outcome(api, ...call)).toBe(expected)
}

const ones = (...dims: number[]) => ({ data: new Uint8Array(dims.reduce((a, b) => a * b)).fill(1), dims })

/** Every option, each with values that change the result, and some that are refused. */
const VALUES: Record<keyof AttentionOptions, unknown[]> = {
  heads: [1, 2],
  kvHeads: [1, 2],
  layout: ['bhsd', 'bshd', 'x'],
  scale: [0.1, 0.2, Number.NaN],
  softcap: [1, 2, -1],
  causal: [true, false, 'top-left', 'bottom-right', null],
  queryOffset: [0, 1, Int32Array.of(1, 2)],
  window: [{ left: 1 }, { left: 2 }, {}],
  keep: [ones(ROWS), { ...ones(ROWS), data: Uint8Array.of(1, 1, 0, 1, 1, 1) }],
  drop: [ones(ROWS)],
  bias: [tensor(ROWS), tensor(ROWS, ROWS)],
  alibi: [true, Float32Array.of(1, 2), Float32Array.of(3, 4)],
  sinks: [Float32Array.of(1, 2), Float32Array.of(3, 4)],
  keyLengths: [Int32Array.of(1, 2), Int32Array.of(3, 4)],
  queryLengths: [Int32Array.of(1, 2), Int32Array.of(3, 4)],
  leftPad: [Int32Array.of(1, 2), Int32Array.of(3, 4)],
  cuSeqlens: [{ q: Int32Array.of(0, ROWS), k: Int32Array.of(0, ROWS) }],
  out: [tensor(BATCH, HEADS, ROWS, DIM), tensor(BATCH, HEADS, DIM, ROWS), q, null],
  precision: ['float32', 'int8'],
  threads: [1, 2, 0],
}

describe('a repeated call', () => {
  test.each(Object.entries(VALUES))('sees that %s has changed', (name, values) => {
    const api = open()
    for (const beside of [{}, { causal: true }, { causal: true, softcap: 3 }]) {
      expectAsNew(api, q, k, v, beside)
      for (const value of values) expectAsNew(api, q, k, v, { ...beside, [name]: value })
      expectAsNew(api, q, k, v, beside)
    }
  })

  test('sees that the contents of an option have changed', () => {
    const api = open()
    const counts = Int32Array.of(3, 4)
    const options = { keyLengths: counts, causal: true, queryOffset: Int32Array.of(0, 0) }
    expectAsNew(api, q, k, v, options)
    counts[0] = 2
    options.queryOffset[1] = 5
    expectAsNew(api, q, k, v, options)
    counts[1] = 99
    expectAsNew(api, q, k, v, options)
  })

  test('sees options that no loop over keys sees, and those that nobody knows', () => {
    const api = open()
    const hidden = Object.defineProperty({}, 'causal', { value: true })
    class Causal {
      get causal() {
        return true
      }
    }
    for (const options of [{}, hidden, {}, new Causal(), undefined, { casual: true }, null, [], 7])
      expectAsNew(api, q, k, v, options)
  })

  test('sees that a tensor has changed', () => {
    const api = open()
    const changed: unknown[] = [
      tensor(BATCH, HEADS, ROWS + 1, DIM),
      { ...q, dims: [BATCH, ROWS, HEADS, DIM] },
      { ...q, dims: [BATCH * HEADS, ROWS, DIM] },
      { ...q, dims: [...q.dims, 1] },
      { ...q, dims: Int32Array.from(q.dims) },
      { ...q, dims: String(q.dims) },
      { ...q, type: 'float32' },
      { ...q, type: 'float16' },
      { ...q, data: new Float32Array(q.data.length - 1) },
      { ...q, data: new Uint16Array(q.data.length) },
      { ...q, data: new Uint16Array(q.data.length), type: 'float16' },
      { ...q, data: new Float64Array(q.data.length) },
      { ...q, data: [...q.data] },
      { ...q, data: null },
      Object.assign([], q),
      null,
      undefined,
    ]
    for (const value of changed) {
      for (const call of [
        [value, k, v],
        [q, value, v],
        [q, k, value],
        [value, value, value],
        [q, k, v, { out: value }],
      ])
        expectAsNew(api, ...call)
      expectAsNew(api, q, k, v)
    }
  })

  test('sees dims that were changed in place, and data that was transferred away', () => {
    const api = open()
    const own: Tensor = { data: Float32Array.from(q.data as Float32Array), dims: [...q.dims] }
    expectAsNew(api, own, k, v)
    ;(own.dims as number[]).splice(1, 2, ROWS, HEADS)
    expectAsNew(api, own, k, v)
    ;(own.dims as number[]).splice(1, 2, HEADS, ROWS)
    structuredClone(own.data.buffer, { transfer: [own.data.buffer as ArrayBuffer] })
    expectAsNew(api, own, k, v)
  })

  test('sees an out that shares memory with an input', () => {
    const api = open()
    const memory = new Float32Array(2 * q.data.length)
    const at = (first: number): Tensor => ({
      data: memory.subarray(first, first + q.data.length),
      dims: q.dims,
    })
    const out = at(0)
    expect(api.attention(at(q.data.length), k, v, { out })).toBe(out)
    expect(api.attention(at(q.data.length), k, v, { out })).toBe(out)
    expect(() => api.attention(at(q.data.length - 1), k, v, { out })).toThrow(/overlaps q/)
    expect(() => api.attention(q, k, at(1), { out })).toThrow(/overlaps v/)
  })

  test('sees that a cache has changed, also beside tensors of its shape', () => {
    const api = open()
    const cache = new api.KvCache({ batch: BATCH, kvHeads: HEADS, headDim: DIM })
    cache.append(k, v)
    const dense = outcome(open(), q, k, v, { causal: true })
    const check = () => {
      for (let n = 0; n < 2; n++) {
        expect(outcome(api, q, k, v, { causal: true })).toBe(dense)
        expectAsNew(api, q, cache, { causal: true })
        expectAsNew(api, q, cache)
      }
    }
    expect(outcome(api, q, cache, { causal: true })).toBe(dense)
    check()
    cache.append(v, k)
    check()
    cache.truncate(ROWS)
    expect(outcome(api, q, cache, { causal: true })).toBe(dense)
    cache.truncate(0)
    cache.append(v, k)
    expect(outcome(api, q, cache, { causal: true })).not.toBe(dense)
    check()
    cache.dispose()
    expectAsNew(api, q, cache, { causal: true })
    expect(outcome(api, q, k, v, { causal: true })).toBe(dense)
  })

  test.each(['float16', 'bfloat16'] as const)('sees that numbers and options of %s have changed', type => {
    const api = open()
    const half = ({ data, dims }: Tensor): Tensor => ({
      data: Uint16Array.from(data, x => (Math.abs(x) * 4096) & 0x3fff),
      dims,
      type,
    })
    const [a, b, c] = [q, k, v].map(half)
    for (const options of [{}, { causal: true }, { alibi: true }, { alibi: true, softcap: 2 }]) {
      expectAsNew(api, a, b, c, options)
      ;(b.data as Uint16Array).fill(0x3000, 0, DIM)
      expectAsNew(api, a, b, c, options)
      expectAsNew(api, a, k, v, options)
      expectAsNew(api, a, { ...b, type: type === 'float16' ? 'bfloat16' : 'float16' }, c, options)
    }
  })

  test('of few rows sees that keys and values have changed', () => {
    const api = open()
    const keys = 2100
    const [a, b, c] = [tensor(1, 4, 2, DIM), tensor(1, HEADS, keys, DIM), tensor(1, HEADS, keys, DIM)]
    const out = tensor(1, 4, 2, DIM)
    for (const options of [{}, { out }, { causal: 'bottom-right', threads: 1 }]) {
      expectAsNew(api, a, b, c, options)
      ;(b.data as Float32Array).fill(1, 0, 1500 * DIM)
      ;(c.data as Float32Array).reverse()
      expectAsNew(api, a, b, c, options)
    }
  })

  test('gives every caller an output of its own', () => {
    const api = open()
    const [a, b, c] = [1, 2, 3].map(() => api.attention(q, k, v))
    expect(new Set([a.data, b.data, c.data, a.dims, b.dims, c.dims]).size).toBe(6)
    expect(compareBits('second', a.data as Float32Array, b.data as Float32Array)).toBeUndefined()
  })

  test('computes with the numbers of now, for more shapes than are remembered', () => {
    const api = open()
    for (let round = 0; round < 3; round++) {
      for (let rows = 1; rows <= 12; rows++)
        expectAsNew(api, tensor(1, 2, rows, 4), tensor(1, 2, rows, 4), tensor(1, 2, rows, 4))
    }
  })
})

describe.skipIf(!hasAddon)('in the steady state', () => {
  const tensors = `
    const api = selfsame.load({ backend: 'native', threads: 1 })
    const [q, k, v, out] = [1, 2, 3, 4].map(() => zeros(1, 1, 2, 16))
    const options = { out, causal: true }
    const repeat = times => { for (let n = 0; n < times; n++) api.attention(q, k, v, options) }
  `

  test('nothing is allocated', () => {
    const { stdout } = runChild(`${tensors}; repeat(50_000); print('steady'); repeat(500_000)`, {
      flags: ['--trace-gc', '--max-semi-space-size=1'],
    })
    // One megabyte of young objects is a collection: 40 bytes per call would be twenty.
    const [, after] = stdout.split('"steady"')
    expect((after.match(/Scavenge|Mark-sweep|Mark-Compact/g) ?? []).length).toBeLessThan(3)
  })

  test.skipIf(process.platform !== 'linux')('threads: 1 starts no thread, and 2 starts one', () => {
    const counts = evaluate<number[]>(`
      import { readdirSync } from 'node:fs'
      const tasks = () => readdirSync('/proc/self/task').length
      const t = zeros(1, 8, 512, 64)
      const api = selfsame.load({ backend: 'native', threads: 1 })
      const before = tasks()
      for (let n = 0; n < 5; n++) api.attention(t, t, t, { causal: true })
      api.attentionWeights(t, t, t, { want: ['mass'] })
      const one = tasks()
      api.attention(t, t, t, { threads: 2 })
      print([one - before, tasks() - one])
    `)
    expect(counts).toEqual([0, 1])
  })
})
