/**
 * A worker of the pool: it runs the chunks of a plan that it is first to take. Its source is built into the package as text
 * (scripts/build/worker.mjs), since no way to name a file of its own is understood by every runtime and bundler.
 * @module
 */
import { Arenas } from './wasm-arena.ts'
import { arraysAt, CONTROL, type Job, type Reply, type ToWorker } from './wasm-share.ts'
import { attend } from './wasm-steps.ts'

interface Port {
  postMessage(reply: Reply): void
}

const { process } = globalThis as typeof globalThis & {
  process?: { getBuiltinModule?(name: 'node:worker_threads'): typeof import('node:worker_threads') }
}
const parent = process?.getBuiltinModule?.('node:worker_threads')?.parentPort
let arenas: Arenas | undefined

function receive(port: Port, message: ToWorker): void {
  if ('wasm' in message) {
    const { wasm } = message
    arenas = new Arenas(wasm instanceof WebAssembly.Module ? wasm : new WebAssembly.Module(wasm))
    return
  }
  try {
    run(message.job, arenas!)
    port.postMessage({})
  } catch (error) {
    port.postMessage({ failure: String(error) })
  }
}

function run({ plan, places, control }: Job, own: Arenas): void {
  let taken = -1
  const isMine = (chunk: number): boolean => {
    if (taken < chunk) taken = Atomics.add(control, CONTROL.next, 1)
    return taken === chunk
  }
  for (const _ of attend(plan, arraysAt(places), own, isMine)) if (Atomics.load(control, CONTROL.stop)) break
}

if (parent) parent.on('message', message => receive(parent, message))
else globalThis.onmessage = ({ data }) => receive(globalThis as unknown as Port, data)
