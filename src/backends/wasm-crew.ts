/**
 * A pool of workers for calls off the event loop. It is a module of its own, imported at the first call that is worth it.
 * @module
 */
import type { Arrays, Plan } from '../attention/plan.ts'
import { CONTROL, type Job, placesOf, type Reply, type ToWorker, type WasmSource } from './wasm-share.ts'
import { source } from './wasm-worker.generated.ts'

/** Shared memory that is kept from call to call. */
const MOST_KEPT = 2 ** 26

interface Host {
  process?: { getBuiltinModule?(name: 'node:worker_threads'): typeof import('node:worker_threads') }
}

/** A worker, whatever the runtime calls it. */
interface Hand {
  post(message: ToWorker): void
  /** Whether it keeps the process alive. */
  hold(busy: boolean): void
  onReply(reply: (reply: Reply) => void): void
}

export class Crew {
  readonly #wasm: WasmSource
  readonly #hands: Hand[] = []
  #kept = new SharedArrayBuffer(0)
  /** One call at a time: its workers are all busy anyway. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(wasm: WasmSource) {
    this.#wasm = wasm
  }

  /** Runs a plan on `plan.threads` workers; as `Backend.runAsync`. */
  run(plan: Plan, arrays: Arrays, signal?: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#run(plan, arrays, signal))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #run(plan: Plan, arrays: Arrays, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    while (this.#hands.length < plan.threads) this.#hands.push(startHand(this.#wasm))
    const control = new Int32Array(new SharedArrayBuffer(8))
    const shared = this.#share(arrays)
    const stop = () => Atomics.store(control, CONTROL.stop, 1)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const job = { plan, places: placesOf(shared), control }
      const replies = await Promise.all(this.#hands.slice(0, plan.threads).map(hand => work(hand, job)))
      const { failure } = replies.find(reply => reply.failure !== undefined) ?? {}
      if (failure !== undefined) {
        // A worker that broke may be gone for good.
        this.#hands.length = 0
        throw new Error(`a worker of the WASM backend failed: ${failure}`)
      }
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    signal?.throwIfAborted()
    if (shared.out !== arrays.out) arrays.out!.set(shared.out!)
  }

  /** The same arrays in shared memory; those that are there already stay where they are. */
  #share(arrays: Arrays): Arrays {
    const entries = Object.entries(arrays).filter(([, array]) => array !== undefined)
    const foreign = new Set(entries.map(([, array]) => array).filter(array => !isShared(array)))
    let bytes = 0
    const places = new Map([...foreign].map(array => [array, place(array.byteLength)]))
    function place(size: number): number {
      const at = bytes
      bytes += Math.ceil(size / 64) * 64
      return at
    }
    const buffer = bytes <= this.#kept.byteLength ? this.#kept : new SharedArrayBuffer(bytes)
    if (bytes <= MOST_KEPT) this.#kept = buffer
    const copies = new Map(
      [...places].map(([array, at]) => {
        const copy = new array.constructor(buffer, at, array.length)
        if (array !== arrays.out) copy.set(array)
        return [array, copy]
      }),
    )
    return Object.fromEntries(entries.map(([name, array]) => [name, copies.get(array) ?? array])) as Arrays
  }
}

function isShared({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof SharedArrayBuffer
}

function work(hand: Hand, job: Job): Promise<Reply> {
  return new Promise(resolve => {
    hand.hold(true)
    hand.onReply(reply => {
      hand.hold(false)
      resolve(reply)
    })
    hand.post({ job })
  })
}

function startHand(wasm: WasmSource): Hand {
  let reply: (reply: Reply) => void
  const onReply: Hand['onReply'] = then => {
    reply = then
  }
  const threads = (globalThis as Host).process?.getBuiltinModule?.('node:worker_threads')
  if (threads) {
    const worker = new threads.Worker(source, { eval: true, execArgv: [] })
    worker.unref()
    worker.on('message', message => reply(message))
    worker.on('error', error => reply({ failure: String(error) }))
    worker.on('exit', () => reply?.({ failure: 'it has ended' }))
    worker.postMessage({ wasm })
    return { post: job => worker.postMessage(job), hold: busy => worker[busy ? 'ref' : 'unref'](), onReply }
  }
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.onmessage = ({ data }) => reply(data)
  worker.onerror = ({ message }) => reply({ failure: message })
  worker.postMessage({ wasm })
  return { post: job => worker.postMessage(job), hold: () => {}, onReply }
}
