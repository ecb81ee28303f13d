/**
 * worker_threads that load the package, use it and end, also in the middle of a call: the process lives on.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { evaluate } from './support/child.ts'
import { kernels } from './support/platforms.ts'
import './support/replay.ts'

/**
 * Two workers at a time, each ended in one of four ways, while the main thread computes as well.
 * Prints how many ended well and whether every result had the same bits.
 */
const script = (wish: object, count: number): string => `
  import { Worker } from 'node:worker_threads'
  const body = \`
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.entry).then(async ({ load }) => {
      const api = load(workerData.wish)
      const t = n => ({ data: Float32Array.from({ length: 2 * n * 32 }, (_, i) => Math.sin(i * n)), dims: [1, 2, n, 32] })
      const out = api.attention(t(70), t(70), t(70), { causal: true })
      const bits = new Uint32Array(out.data.buffer).reduce((sum, x) => (sum * 31 + x) >>> 0, 0)
      const endless = () => api.attentionAsync(t(4096), t(4096), t(4096))
      if (workerData.way === 1) endless()
      if (workerData.way === 2) endless().catch(() => {})
      parentPort.postMessage(bits)
      if (workerData.way === 2) process.exit(0)
      if (workerData.way === 3) for (;;) api.attention(t(70), t(70), t(70))
    })
  \`
  const wish = ${JSON.stringify(wish)}
  const run = n => new Promise((resolve, reject) => {
    const way = n % 4
    const worker = new Worker(body, { eval: true, execArgv: [], workerData: { entry: packageEntry, wish, way } })
    let bits
    worker.on('error', reject)
    worker.on('message', value => {
      bits = value
      if (way === 1 || way === 3) setTimeout(() => worker.terminate(), 5)
    })
    worker.on('exit', () => resolve(bits))
  })
  const api = selfsame.load(wish)
  const results = []
  const lane = async first => {
    for (let n = first; n < ${count}; n += 2) {
      results.push(await run(n))
      api.attention(zeros(1, 2, 33, 16), zeros(1, 2, 33, 16), zeros(1, 2, 33, 16))
    }
  }
  const busy = (async () => {
    for (let n = 0; n < 20; n++) await api.attentionAsync(zeros(1, 2, 257, 16), zeros(1, 2, 257, 16), zeros(1, 2, 257, 16))
  })()
  await Promise.all([lane(0), lane(1), busy])
  print({ ended: results.length, bits: [...new Set(results)].length, lost: results.includes(undefined) })
`

// What may go wrong where an environment ends is the addon's and shared by its kernels; the others get a few.
const [fastest] = kernels
const chosen = kernels.filter(
  row => row === fastest || row.isa === 'scalar' || row.backend.startsWith('wasm'),
)

describe('workers, two at a time', () => {
  for (const platform of chosen) {
    const count = platform === fastest ? 50 : 12
    test(`${count} on ${platform.name}`, () => {
      const { backend, isa } = platform
      const wish = { backend, ...(isa && { isa, threads: 2 }) }
      const found = evaluate<{ ended: number; bits: number; lost: boolean }>(script(wish, count))
      expect(found).toEqual({ ended: count, bits: 1, lost: false })
    })
  }
})
