/**
 * Whether calls off the event loop may use threads here, and which of them are worth it.
 * @module
 */
import { type Arrays, ITEM_WORDS, Output, type Plan } from '../attention/plan.ts'

/** More threads than this have not been tried. */
export const MOST_THREADS = 64
/** Below it, to wake workers and wait for them costs more than they take over; at 40 GFLOP/s this is 2 ms. */
const LEAST_FLOPS = 2 ** 26
/** What is not in shared memory is copied there, at about 8 GB/s. */
const LEAST_FLOPS_PER_BYTE = 24

interface Host {
  process?: {
    getBuiltinModule?(name: 'node:worker_threads'): object | undefined
    getBuiltinModule?(name: 'node:os'): { availableParallelism(): number } | undefined
  }
  navigator?: { hardwareConcurrency?: number }
  crossOriginIsolated?: boolean
  Worker?: unknown
}

/** How many threads this runtime has for us, or why none but the one that calls. */
export function threadsHere(): number | string {
  const { process, navigator, crossOriginIsolated, Worker } = globalThis as Host
  const isNodeLike = process?.getBuiltinModule?.('node:worker_threads') !== undefined
  if (!isNodeLike && Worker === undefined) return 'this runtime has no workers'
  if (typeof SharedArrayBuffer === 'undefined' || (!isNodeLike && !crossOriginIsolated))
    return 'memory is shared with workers only on a page that is cross-origin isolated'
  const cores =
    navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os')?.availableParallelism()
  return Math.min(cores ?? 1, MOST_THREADS)
}

/** Whether threads gain more by a plan than they cost. The same bits come out either way. */
export function isWorthThreads(plan: Plan, arrays: Arrays): boolean {
  if (plan.outputs !== Output.output) return false
  let pairs = 0
  for (let item = 0; item < plan.batch; item++) {
    const [, , rows, , , begin, end] = plan.items.subarray(item * ITEM_WORDS.length)
    pairs += rows * Math.min(end - begin, plan.left + plan.right + 1)
  }
  const flops = 2 * pairs * plan.heads * (plan.headDim + plan.valueDim)
  let bytes = 0
  for (const array of Object.values(arrays))
    if (array?.buffer instanceof ArrayBuffer) bytes += array.byteLength
  return flops >= Math.max(LEAST_FLOPS, LEAST_FLOPS_PER_BYTE * bytes)
}
