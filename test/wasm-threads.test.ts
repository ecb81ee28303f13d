/**
 * attentionAsync on the worker pool of the WASM backends: the same bits with any number of threads, an abort that stops the
 * work, errors that arrive, and workers that keep nobody alive.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { KvCache, load } from '../src/index.ts'
import { runChild } from './support/child.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { platforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const names = platforms.map(({ backend }) => backend).filter(name => name.startsWith('wasm'))
const open = (backend: string, threads: number): Attention =>
  load({ backend: backend as 'wasm-simd', threads })

function tensor(seed: number, dims: number[]): Tensor {
  return {
    data: fillNormal(
      random(seed),
      dims.reduce((a, b) => a * b, 1),
    ),
    dims,
  }
}

/** As in memory that other threads see already. */
function shared({ data, dims }: Tensor): Tensor {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength))
  copy.set(data)
  return { data: copy, dims }
}

const heads = 6
const dims = [1, heads, 700, 64]
const [q, k, v] = [tensor(1, dims), tensor(2, [1, 2, 700, 64]), tensor(3, [1, 2, 700, 64])]
const FORMS: Record<string, AttentionOptions> = {
  dense: {},
  causal: { causal: true },
  'window, sinks': { causal: true, window: { left: 300 }, sinks: fillNormal(random(4), heads) },
  'bias, keep': {
    bias: tensor(5, [700, 700]),
    keep: { data: Uint8Array.from({ length: 700 }, (_, key) => (key % 7 ? 1 : 0)), dims: [700] },
  },
  lengths: { keyLengths: Int32Array.of(650), queryLengths: Int32Array.of(600) },
}

describe.each(names)('%s', backend => {
  const one = open(backend, 1)
  const api = open(backend, 2)

  test.each(Object.entries(FORMS))('the same bits on 1, 2 and 3 threads: %s', async (name, options) => {
    const want = one.attention(q, k, v, options)
    for (const threads of [1, 2, 3]) {
      const got = await api.attentionAsync(q, k, v, { ...options, threads })
      expect(compareBits(name, got.data as Float32Array, want.data as Float32Array)).toBeUndefined()
    }
  })

  test('tensors in shared memory are read and written where they are', async () => {
    const out = shared(q)
    const got = await api.attentionAsync(shared(q), shared(k), shared(v), { out })
    expect(got).toBe(out)
    const want = one.attention(q, k, v)
    expect(compareBits('out', out.data as Float32Array, want.data as Float32Array)).toBeUndefined()
  })

  test('a cache, and calls at the same time', async () => {
    const cache = new KvCache({ kvHeads: 2, headDim: 64 })
    cache.append(k, v)
    const calls = [1, 2, 3].map(() => api.attentionAsync(q, cache, { causal: true }))
    const want = one.attention(q, k, v, { causal: true })
    for (const got of await Promise.all(calls))
      expect(compareBits('out', got.data as Float32Array, want.data as Float32Array)).toBeUndefined()
  })

  test('an abort stops the workers, and the next call is served', async () => {
    const long = tensor(6, [1, 8, 4096, 64])
    const reason = new Error('enough')
    const start = performance.now()
    await api.attentionAsync(long, long, long)
    const whole = performance.now() - start
    const controller = new AbortController()
    const promise = api.attentionAsync(long, long, long, { signal: controller.signal })
    const next = api.attentionAsync(q, k, v)
    const from = performance.now()
    setTimeout(() => controller.abort(reason), whole / 10)
    await expect(promise).rejects.toBe(reason)
    expect(performance.now() - from).toBeLessThan(whole * 0.8)
    const want = one.attention(q, k, v)
    expect(compareBits('next', (await next).data as Float32Array, want.data as Float32Array)).toBeUndefined()
  })

  test('a synchronous call has one thread, and info says what there is', () => {
    expect(() => api.attention(q, k, v, { threads: 2 })).toThrow(/^threads: /)
    const picked = api.info().candidates.find(({ name }) => name === backend)
    expect(picked?.reason).toBe('picked; attentionAsync on 2 threads')
    expect(one.info().candidates.find(({ name }) => name === backend)?.reason).toMatch(/on 1 thread$/)
  })

  test('idle workers keep no process alive, busy ones do', () => {
    const { status, stdout, stderr } = runChild(`
      const api = selfsame.load({ backend: '${backend}', threads: 2 })
      const t = zeros(1, 8, 1024, 64)
      api.attentionAsync(t, t, t).then(({ dims }) => print(dims))
    `)
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toContain('1024')
  })
})

test('a page that is not isolated, or a host without workers, says why', () => {
  const { stdout, status } = runChild(`
    process.getBuiltinModule = undefined
    const reasons = () => selfsame.load({ backend: 'wasm-simd' }).info().candidates.find(c => c.name === 'wasm-simd').reason
    const bare = reasons()
    globalThis.Worker = class {}
    print([bare, reasons()])
  `)
  expect(status).toBe(0)
  expect(stdout).toMatch(/has no workers/)
  expect(stdout).toMatch(/cross-origin isolated/)
})
