/**
 * What a backend is: it runs plans. It never sees options and checks no semantics.
 * @module
 */
import type { Arrays, Plan, Stored } from '../attention/plan.ts'

export type BackendName = 'native' | 'wasm-relaxed' | 'wasm-simd' | 'reference'

/** What a backend would do with a plan; part of what `plan()` shows. */
export interface Kernel {
  /** Name of the kernel, e.g. 'prefill'. */
  kernel: string
  /** Query rows and keys of one register tile, and keys of one block. */
  tile: { queries: number; keys: number; block: number }
  /** Parts into which the keys are split (1: not at all). */
  split: number
  /** Independent tasks that threads may take. */
  tasks: number
  /** Bytes of scratch memory per thread. */
  scratchBytes: number
}

/** A plan of which only the tensors are left open. */
export type Prepared = (q: Arrays['q'], k: Arrays['k'], v: Arrays['v'], out: Arrays['q']) => void

export interface Backend {
  readonly name: BackendName
  /** 'avx512', 'avx2', 'neon', 'scalar'; 'simd128', 'relaxed-simd'; 'none' for plain TypeScript. */
  readonly isa: string
  /** Threads that a call uses unless it asks for another number. */
  readonly threads: number
  /** The most threads a call may ask for; 1 where the backend has none. */
  readonly maxThreads: number
  /** The same two for calls off the event loop, where they have threads that others do not. */
  readonly async?: { readonly threads: number; readonly maxThreads: number }
  /** What a caller may want to know of how it runs here. */
  readonly note?: string
  /** Bits of `Feature` that its kernels have. A plan with others is never given to `run`. */
  readonly features: number
  /** Runs a plan; fills the arrays that `plan.outputs` asks for. */
  run(plan: Plan, arrays: Arrays): void
  /**
   * The same as a function, for a plan that asks for no arrays but these and will run often; undefined where that
   * gains nothing.
   */
  prepare?(plan: Plan): Prepared | undefined
  /**
   * The same without holding up the event loop. When `signal` fires, the work itself stops
   * and the promise rejects with `signal.reason`; the outputs are then unspecified.
   */
  runAsync(plan: Plan, arrays: Arrays, signal?: AbortSignal): Promise<void>
  /**
   * A place for a cache of so many bytes that its kernels read in place; undefined where there is none. Absent where any
   * memory will do.
   */
  storage?(bytes: number): { buffer: ArrayBuffer; at: number } | undefined
  /** Runs nothing. */
  describe(plan: Plan): Kernel
  /** Makes storage of a cache, still unwritten, fast to read. */
  prepareStorage?(data: Stored): void
}
