/**
 * Memory as callers have it: views into larger buffers, shared buffers, arrays used twice, Float16Array.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention } from '../src/index.ts'
import { decodeFloat16, encodeFloat16 } from './oracle/half.ts'
import { oracle } from './oracle/oracle.ts'
import { guardedOutput, outputTruth } from './support/check.ts'
import { compare, compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const dims = [2, 3, 37, 19]
const length = 2 * 3 * 37 * 19
const source = random(7)
const [q, k, v] = [0, 1, 2].map(() => fillNormal(source, length))

/** The same numbers `offset` floats into a larger buffer, between numbers that must not matter. */
function inside(data: Float32Array, offset: number, buffer: ArrayBufferLike): Float32Array {
  const whole = new Float32Array(buffer).fill(Number.NaN)
  whole.set(data, offset)
  return whole.subarray(offset, offset + data.length)
}

function runOn(api: Attention, q: Float32Array, k: Float32Array, v: Float32Array): Float32Array {
  return api.attention({ data: q, dims }, { data: k, dims }, { data: v, dims }).data as Float32Array
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()
  const plain = runOn(api, q, k, v)

  test.each([1, 2, 3, 5, 15])('views that start %i floats into their buffer', offset => {
    const view = (data: Float32Array): Float32Array =>
      inside(data, offset, new ArrayBuffer(4 * (length + 32)))
    expect(compareBits('output', runOn(api, view(q), view(k), view(v)), plain)).toBeUndefined()
  })

  test('shared buffers', () => {
    const view = (data: Float32Array): Float32Array =>
      inside(data, 3, new SharedArrayBuffer(4 * (length + 32)))
    const result = runOn(api, view(q), view(k), view(v))
    expect(compareBits('output', result, plain)).toBeUndefined()
    expect(result.buffer).toBeInstanceOf(ArrayBuffer)
    const out = view(q)
    api.attention({ data: q, dims }, { data: k, dims }, { data: v, dims }, { out: { data: out, dims } })
    expect(compareBits('out', out.slice(), plain)).toBeUndefined()
  })

  test('three tensors in one buffer, and out beside them', () => {
    const whole = new Float32Array(4 * length + 1)
    const at = (n: number): Float32Array => whole.subarray(1 + n * length, 1 + (n + 1) * length)
    for (const [n, data] of [q, k, v].entries()) at(n).set(data)
    api.attention(
      { data: at(0), dims },
      { data: at(1), dims },
      { data: at(2), dims },
      { out: { data: at(3), dims } },
    )
    expect(compareBits('out', at(3).slice(), plain)).toBeUndefined()
    expect(compareBits('q', at(0).slice(), q)).toBeUndefined()
    expect(compareBits('v', at(2).slice(), v)).toBeUndefined()
  })

  test('one tensor for all three', () => {
    const tensor = { data: q, dims }
    const truth = oracle(tensor, tensor, tensor)
    expect(compare('output', api.attention(tensor, tensor, tensor).data, outputTruth(truth))).toBeUndefined()
  })

  test('inputs keep their numbers and results are new memory', () => {
    const copies = [q.slice(), k.slice(), v.slice()]
    const [one, two] = [runOn(api, q, k, v), runOn(api, q, k, v)]
    expect(one.buffer).not.toBe(two.buffer)
    expect(one.byteLength).toBe(one.buffer.byteLength)
    for (const [n, data] of [q, k, v].entries()) expect(compareBits('input', data, copies[n])).toBeUndefined()
  })

  test('out of every rank, with its neighbours untouched', () => {
    const shapes = [
      { dims: [37, 19], options: {} },
      { dims: [2, 37, 57], options: { heads: 3 } },
      { dims: [2, 37, 3, 19], options: { layout: 'bshd' as const } },
    ]
    for (const { dims, options } of shapes) {
      const size = dims.reduce((a, b) => a * b, 1)
      const tensor = (data: Float32Array) => ({ data: data.subarray(0, size), dims })
      const guarded = guardedOutput(dims)
      const expected = api.attention(tensor(q), tensor(k), tensor(v), options)
      const out = { data: guarded.data, dims }
      expect(api.attention(tensor(q), tensor(k), tensor(v), { ...options, out })).toBe(out)
      expect(guarded.problems()).toEqual([])
      expect(compareBits('out', guarded.data, expected.data as Float32Array)).toBeUndefined()
    }
  })

  const { Float16Array } = globalThis as unknown as {
    Float16Array?: new (buffer: ArrayBuffer, offset: number, length: number) => Float32Array
  }
  test.skipIf(Float16Array === undefined)('Float16Array, where the runtime has it', () => {
    const bits = Uint16Array.from(q, encodeFloat16)
    const halves = new Float16Array!(new ArrayBuffer(2 * length + 20), 6, length)
    halves.set(Float32Array.from(bits, decodeFloat16))
    const fromHalves = api.attention({ data: halves, dims }, { data: halves, dims }, { data: halves, dims })
    const tensor = { data: bits, dims, type: 'float16' as const }
    const fromBits = api.attention(tensor, tensor, tensor)
    expect(fromHalves.type).toBe('float16')
    expect(fromBits.data).toBeInstanceOf(Uint16Array)
    expect(fromHalves.data).toEqual(fromBits.data)
  })
})
