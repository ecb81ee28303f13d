/**
 * Memory: many calls do not make the process grow, and large tensors do not make WASM memory grow.
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { type Attention, KvCache, load } from '../src/index.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels, platforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'
import { contentsOf } from '../src/attention/cache/kv-cache.ts'
import { supportsWasm } from '../src/backends/wasm-probe.ts'

const CALLS = 10_000
const MEGABYTE = 2 ** 20

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function inUse(): { resident: number; buffers: number } {
  collect()
  collect()
  const { rss, arrayBuffers, external } = process.memoryUsage()
  return { resident: rss, buffers: arrayBuffers + external }
}

/** What `work` leaves behind, in megabytes: the least of three times, as engines take memory of their own at times. */
async function growth(work: () => void | Promise<void>): Promise<{ resident: number; buffers: number }> {
  await work()
  const least = { resident: Number.POSITIVE_INFINITY, buffers: Number.POSITIVE_INFINITY }
  for (let n = 0; n < 3; n++) {
    const before = inUse()
    await work()
    const after = inUse()
    least.resident = Math.min(least.resident, (after.resident - before.resident) / MEGABYTE)
    least.buffers = Math.min(least.buffers, (after.buffers - before.buffers) / MEGABYTE)
  }
  return least
}

function tensor(heads: number, rows: number, headDim: number) {
  return { data: fillNormal(random(rows), heads * rows * headDim), dims: [1, heads, rows, headDim] }
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test(`${CALLS} calls leave nothing behind`, async () => {
    const t = tensor(1, 4, 1024)
    const out = { data: new Float32Array(t.data.length), dims: t.dims }
    const { resident, buffers } = await growth(() => {
      for (let n = 0; n < CALLS / 4; n++) {
        api.attention(t, t, t, n % 2 ? { out } : undefined)
        if (n % 100 === 0) api.attentionWeights(t, t, t)
      }
    })
    expect(buffers).toBeLessThan(1)
    // A leak of every output would be 20 MB, of every input 120 MB.
    expect(resident).toBeLessThan(6)
  })

  test('asynchronous calls, half of them aborted, leave nothing behind', async () => {
    const t = tensor(1, 4, 4096)
    const { resident, buffers } = await growth(async () => {
      for (let n = 0; n < 500; n++) {
        const controller = new AbortController()
        const promise = api.attentionAsync(t, t, t, { signal: controller.signal })
        if (n % 2) controller.abort()
        await promise.catch(() => {})
      }
    })
    expect(buffers).toBeLessThan(1)
    // A leak of every output would be 32 MB, of every input 96 MB.
    expect(resident).toBeLessThan(6)
  })
})

describe('WASM memory', () => {
  const names = platforms.map(({ backend }) => backend).filter(backend => backend.startsWith('wasm'))
  test.each(names)('does not grow with the tensors: %s', name => {
    const { api, memories } = watchMemories(() => load({ backend: name as 'wasm-simd' }))
    const size = (): number => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)
    const small = tensor(1, 64, 64)
    api.attention(small, small, small)
    expect(memories.length).toBeGreaterThan(0)
    const few = tensor(1, 128, 64)
    const many = tensor(1, 8192, 64)
    api.attention(few, few, few)
    const before = size()
    api.attention(few, many, many)
    api.attention(few, many, many, { causal: 'bottom-right' })
    expect(size()).toBe(before)
    const wide = tensor(8, 256, 256)
    api.attention(wide, wide, wide)
    expect(size()).toBeLessThanOrEqual(4 * MEGABYTE)
  })

  test.each(names)('is the same after 100,000 calls: %s', name => {
    const { api, memories } = watchMemories(() => load({ backend: name as 'wasm-simd' }))
    const size = (): number => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)
    const [few, many] = [tensor(1, 2, 8), tensor(1, 20, 8)]
    const cache = new KvCache({ kvHeads: 1, headDim: 8 })
    cache.append(many, many)
    const round = () => {
      api.attention(few, many, many)
      api.attention(many, many, many)
      api.attention(few, cache)
      api.attentionPartial(many, cache)
    }
    round()
    const [count, before] = [memories.length, size()]
    for (let n = 0; n < 25_000; n++) round()
    expect([memories.length, size()]).toEqual([count, before])
  })

  test.each(names)('has a limit, and an error that says so: %s', name => {
    const api = load({ backend: name as 'wasm-simd' })
    const wide = { data: new Float32Array(2 ** 17), dims: [1, 2 ** 17] }
    expect(() => api.attention(wide, wide, wide)).toThrow(/^headDim: .*64 MiB, got a need of \d+ MiB$/)
    const t = tensor(1, 4, 16)
    expect(api.attention(t, t, t).dims).toEqual(t.dims)
  })
})

/** Sees the memory of every instance that is made from now on, since none is handed out. */
function watchMemories(open: () => Attention): { api: Attention; memories: WebAssembly.Memory[] } {
  const memories: WebAssembly.Memory[] = []
  const { Instance, Memory } = WebAssembly
  const note = <T>(value: T): T => {
    if (value instanceof Memory && !memories.includes(value)) memories.push(value)
    return value
  }
  WebAssembly.Memory = new Proxy(Memory, { construct: (kind, [size]) => note(new kind(size)) })
  WebAssembly.Instance = new Proxy(Instance, {
    construct(kind, [module, imports]) {
      const instance = new kind(module, imports)
      for (const value of Object.values(instance.exports)) note(value)
      return instance
    },
  })
  // Instances may be made at the first call, so the watch lasts as long as the process of this test file.
  return { api: open(), memories }
}

test.each(['wasm-simd', 'wasm-relaxed'] as const)('%s: what runs nothing moves no cache', backend => {
  if (supportsWasm(backend === 'wasm-simd' ? 'simd' : 'relaxed')) return
  const api = load({ backend })
  const cache = new KvCache({ kvHeads: 1, headDim: 8 })
  const row = { data: new Float32Array(8).fill(1), dims: [1, 1, 1, 8] }
  cache.append(row, row)
  const { keys } = contentsOf('cache', cache)!.pool
  const { buffer } = keys.data
  api.plan(row, cache)
  expect(keys.data.buffer).toBe(buffer)
  api.attention(row, cache)
  expect(keys.data.buffer).not.toBe(buffer)
})
