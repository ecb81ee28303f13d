/**
 * What passes between the thread that was called and its workers. Tensors lie in shared memory; everything else is copied.
 * @module
 */
import type { Arrays, Plan } from '../attention/plan.ts'

/** One plan for all workers. */
export interface Job {
  readonly plan: Plan
  readonly arrays: Arrays
  /** Words of CONTROL. */
  readonly control: Int32Array
}

/** The next chunk that nobody has taken; whether to stop. */
export const CONTROL = { next: 0, stop: 1 } as const

/** A build, compiled or not. */
export type WasmSource = WebAssembly.Module | Uint8Array<ArrayBuffer>

export type ToWorker = { readonly wasm: WasmSource } | { readonly job: Job }

/** When a worker has nothing left to do; with the reason where it failed. */
export interface Reply {
  readonly failure?: string
}
