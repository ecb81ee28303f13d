/**
 * Where layers run: attention and the operations beside it, on one backend.
 * @module
 */
import type { BackendName } from '../backends/backend.ts'
import type { Attention, Info, LoadOptions } from '../index.ts'
import type { Ops } from './ops/job.ts'

/** Both halves of a block on the same backend and instruction set. */
export interface Engine {
  readonly attention: Attention
  readonly ops: Ops
}

/** What an entry brings: its functions of attention, and how to open the operations that go with a backend. */
export interface EngineRuntime {
  load(options?: LoadOptions): Attention
  readonly ops: { readonly [Name in BackendName]: (info: Info) => Ops }
}

/**
 * Opens the operations for the backend that serves attention.
 * @throws Error that lists every reason when what is asked for is absent
 */
export function openEngine(runtime: EngineRuntime, options?: LoadOptions): Engine {
  const attention = runtime.load(options)
  const info = attention.info()
  return { attention, ops: runtime.ops[info.backend](info) }
}
