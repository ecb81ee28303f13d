/**
 * What the addon is put through under the address and undefined-behaviour sanitizers: scripts/sanitize.mjs bundles
 * this file and runs it on an addon that has them. Typed arrays then lie in memory whose ends are watched, so a
 * kernel that reads one element too far is found, not only one that writes.
 * @module
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Tensor } from '../src/index.ts'
import { fillNormal } from './support/fill.ts'
import { hunt, report } from './support/fuzz/hunt.ts'
import { HUNTS } from './support/fuzz/hunts.ts'
import { absent, type Platform, platforms } from './support/platforms.ts'
import { hardCall, type LowPrecision, namedPrecisions } from './support/precisions.ts'
import { random } from './support/random.ts'
import { Scene, spoil } from './support/scene.ts'

const DRAWN = 150
const LIES = 1500
const WORKERS = 6

const native = platforms.filter(({ backend }) => backend === 'native')
const addonFile = new URL('../Release/selfsame.node', import.meta.url).pathname
const addon = createRequire(import.meta.url)(addonFile) as {
  run(...call: unknown[]): void
  prepare(...plan: unknown[]): (...tensors: unknown[]) => void
}

const say = (text: string): void => console.log(`  ${text}`)

function fail(text: string): void {
  process.exitCode = 1
  say(`FAILED ${text}`)
}

/** Drawn calls with every option and storage, each instruction set, on one thread and on two. */
function huntAll(): void {
  for (const sought of HUNTS) {
    const prey = hunt(sought, native, { seed: 1, cases: DRAWN })
    if (prey) fail(report(sought.name, prey))
    else say(`${sought.name}: ${DRAWN} drawn calls on ${native.map(({ name }) => name).join(', ')}`)
  }
}

/** Plans that lie: refused, or harmless. */
function lieTo(isa: string): void {
  const source = random(1)
  let ran = 0
  for (let n = 0; n < LIES; n++) {
    const scene = new Scene((['whole', 'paged', 'int8'] as const)[n % 3], 0)
    spoil(scene, source)
    try {
      if (n % 3 === 0) {
        const { plan, tensors } = scene.plain(isa)
        addon.prepare(...plan)(...tensors)
      } else {
        addon.run(...scene.call(isa))
      }
      ran++
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    }
  }
  say(`lies: ${LIES} plans on ${isa}, ${ran} of them harmless enough to run`)
}

/** Few rows and keys of several chunks, which the drawn calls do not have; in one piece, as halves, in a cache. */
function decodeOn({ name, open }: Platform): void {
  const api = open()
  const source = random(2)
  const tensor = (...dims: number[]): Tensor => ({
    data: fillNormal(
      source,
      dims.reduce((a, b) => a * b),
    ),
    dims,
  })
  for (const rows of [1, 3, 15, 16]) {
    for (const keys of [1024, 1025, 2300]) {
      const [q, k, v] = [tensor(1, 4, rows, 19), tensor(1, 2, keys, 19), tensor(1, 2, keys, 21)]
      const bits = (t: Tensor): Tensor => ({ ...t, data: new Uint16Array(t.data.length), type: 'float16' })
      const cache = new api.KvCache({ batch: 1, kvHeads: 2, headDim: 19, valueDim: 21 })
      cache.append(k, v)
      // Twice: the second time as a repeated call.
      for (let n = 0; n < 2; n++) {
        api.attention(q, k, v, { causal: 'bottom-right' })
        api.attention(bits(q), bits(k), bits(v), { softcap: 2 })
        api.attention(q, cache, { causal: true })
        api.attentionWeights(q, k, v, { want: ['mass'] })
      }
    }
  }
  say(`decode: up to 16 rows against up to 2300 keys on ${name}`)
}

/** Products below float32, which are not drawn either: channels that fill no vector, edges, outliers, pages. */
function lowerOn(name: string, { open }: Platform, precision: LowPrecision): void {
  const api = open()
  for (const headDim of [1, 7, 20, 33, 64]) {
    for (const [valueDim, keys] of [
      [headDim, 257],
      [17, 300],
    ]) {
      for (const numbers of ['normal', 'queries times 8', 'a key times 10 and a value times 100']) {
        const call = hardCall(valueDim > 7 && headDim > 3 ? numbers : 'normal', { headDim, valueDim, keys })
        const { q, k, v } = call as Record<'q' | 'k' | 'v', Tensor>
        const cache = new api.KvCache({ kvHeads: 2, headDim, valueDim, type: 'int8' })
        cache.append(k, v)
        api.attention(q, k, v, { precision })
        api.attention(q, k, v, { precision, causal: 'bottom-right', softcap: 30 })
        api.attention(q, k, v, { precision, window: { left: 40, right: 3 }, queryOffset: 230 })
        api.attention(q, cache, { precision, causal: true })
      }
    }
  }
  say(`precision: ${name}`)
}

/** Calls in the background, every other one aborted on its way. */
async function abortHalf({ name, open }: Platform): Promise<void> {
  const api = open()
  const tensor = (rows: number) => ({
    data: new Float32Array(2 * rows * 24).fill(0.5),
    dims: [1, 2, rows, 24],
  })
  const running = Array.from({ length: 24 }, async (_, n) => {
    const t = tensor(100 + 37 * n)
    const controller = new AbortController()
    if (n % 2) setTimeout(() => controller.abort(), n / 4)
    const [call] = await Promise.allSettled([api.attentionAsync(t, t, t, { signal: controller.signal })])
    return call.status
  })
  const ended = await Promise.all(running)
  say(
    `async: ${ended.filter(status => status === 'fulfilled').length} of ${ended.length} calls ran to their end on ${name}`,
  )
}

/** Environments that end in the middle of a call. */
async function endWorkers(): Promise<void> {
  const body = `
    const addon = require(require('node:worker_threads').workerData.addonFile)
    const { parentPort, workerData: { call } } = require('node:worker_threads')
    addon.runAsync(...call, new Int32Array(1)).catch(() => {})
    addon.run(...call)
    parentPort.postMessage('')
    for (;;) addon.run(...call)
  `
  const end = () =>
    new Promise((resolve, reject) => {
      const call = new Scene().call(native[0].isa!)
      const worker = new Worker(body, { eval: true, workerData: { addonFile, call } })
      worker.on('message', () => worker.terminate())
      worker.on('error', reject)
      worker.on('exit', resolve)
    })
  for (let n = 0; n < WORKERS; n += 2) await Promise.all([end(), end()])
  say(`workers: ${WORKERS} ended in the middle of a call`)
}

if (native.length < 2) {
  fail(`no native backend: ${absent.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`)
} else {
  huntAll()
  for (const isa of new Set(native.map(({ isa }) => isa!))) lieTo(isa)
  for (const platform of native) decodeOn(platform)
  for (const each of namedPrecisions) lowerOn(...each)
  for (const platform of native) await abortHalf(platform)
  await endWorkers()
}
