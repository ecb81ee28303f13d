/**
 * attentionAsync: the event loop stays free, an abort stops the work itself, calls do not disturb each other.
 * @module
 */
import { getEventListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions, Tensor } from '../src/index.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedPlatforms } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const LONG_MS = 150

type Inputs = [Tensor, Tensor, Tensor]

function inputs(seed: number, heads: number, rows: number, headDim = 32): Inputs {
  const source = random(seed)
  const tensor = (): Tensor => ({
    data: fillNormal(source, heads * rows * headDim),
    dims: [1, heads, rows, headDim],
  })
  return [tensor(), tensor(), tensor()]
}

/**
 * CPU time of this process, of all its threads: what a call takes of it does not depend on how busy the
 * machine is with others.
 */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** A call that keeps this platform busy for a while, whatever it is. */
function longCall(api: Attention): { call: Inputs; milliseconds: number } {
  for (let rows = 192; ; rows = Math.ceil(rows * 1.5)) {
    const call = inputs(rows, 2, rows)
    const start = cpuMilliseconds()
    api.attention(...call)
    const milliseconds = cpuMilliseconds() - start
    if (milliseconds >= LONG_MS) return { call, milliseconds }
  }
}

const bits = (label: string, a: Tensor, b: Tensor): string | undefined =>
  compareBits(label, a.data as Float32Array, b.data as Float32Array)

/** CPU time of the whole process over a time of waiting. */
async function cpuWhileIdle(milliseconds: number): Promise<number> {
  const before = cpuMilliseconds()
  await wait(milliseconds)
  return cpuMilliseconds() - before
}

describe.each(namedPlatforms)('%s', (_, platform) => {
  const api = platform.open()
  const long = longCall(api)

  test('a timer of 5 ms keeps ticking', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const start = cpuMilliseconds()
    const result = await api.attentionAsync(...long.call)
    const took = cpuMilliseconds() - start
    clearInterval(timer)
    expect(took).toBeGreaterThan(LONG_MS / 4)
    // On average no turn of the loop takes 25 ms.
    expect(ticks).toBeGreaterThan(took / 25)
    expect(bits('output', result, api.attention(...long.call))).toBeUndefined()
  })

  test('several at once, and synchronous calls between them, give the bits of each alone', async () => {
    const calls = [17, 64, 100, 129, 200].map((rows, n) => inputs(n, 3, rows, 8 + 9 * n))
    const options: AttentionOptions[] = [{}, { causal: true }, {}, { window: { left: 5, right: 9 } }, {}]
    const alone = calls.map((call, n) => api.attention(...call, options[n]))
    const running = calls.map((call, n) => api.attentionAsync(...call, options[n]))
    expect(bits('between', api.attention(...calls[4], options[4]), alone[4])).toBeUndefined()
    await new Promise(resolve => setImmediate(resolve))
    expect(bits('later', api.attention(...calls[3], options[3]), alone[3])).toBeUndefined()
    const together = await Promise.all(running)
    for (const [n, result] of together.entries()) expect(bits(`call ${n}`, result, alone[n])).toBeUndefined()
  })

  test('into out', async () => {
    const call = inputs(5, 2, 40)
    const out = { data: new Float32Array(call[0].data.length), dims: call[0].dims }
    expect(await api.attentionAsync(...call, { out })).toBe(out)
    expect(bits('out', out, api.attention(...call))).toBeUndefined()
  })

  test('aborted before the start, nothing runs', async () => {
    const reason = new Error('not today')
    const out = { data: new Float32Array(long.call[0].data.length).fill(7), dims: long.call[0].dims }
    const start = cpuMilliseconds()
    await expect(api.attentionAsync(...long.call, { signal: AbortSignal.abort(reason), out })).rejects.toBe(
      reason,
    )
    expect(cpuMilliseconds() - start).toBeLessThan(long.milliseconds / 2)
    expect(out.data.every(x => x === 7)).toBe(true)
  })

  test('aborted on the way, the work stops', async () => {
    const controller = new AbortController()
    const reason = { why: 'enough' }
    const promise = api.attentionAsync(...long.call, { signal: controller.signal })
    const start = cpuMilliseconds()
    setTimeout(() => controller.abort(reason), 20)
    await expect(promise).rejects.toBe(reason)
    expect(cpuMilliseconds() - start).toBeLessThan(40 + long.milliseconds / 2)
    // Had the work gone on, it would use a whole core or more.
    expect(await cpuWhileIdle(100)).toBeLessThan(60)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    const again = inputs(6, 2, 50)
    expect(bits('the next call', await api.attentionAsync(...again), api.attention(...again))).toBeUndefined()
  })

  test('a timeout is a reason too, and stops only its own call', async () => {
    const other = api.attentionAsync(...long.call)
    const timed = api.attentionAsync(...long.call, { signal: AbortSignal.timeout(10) })
    await expect(timed).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(bits('the other', await other, api.attention(...long.call))).toBeUndefined()
  })

  test('aborted afterwards, nothing happens', async () => {
    const controller = new AbortController()
    const call = inputs(8, 1, 20)
    const result = await api.attentionAsync(...call, { signal: controller.signal })
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    controller.abort()
    expect(bits('result', result, api.attention(...call))).toBeUndefined()
  })
})
