/**
 * The WASM backends: one kernel source in two builds, plain SIMD and relaxed SIMD.
 * @module
 */
import { Feature } from '../attention/plan.ts'
import type { Backend } from './backend.ts'
import { runSteps, runStepsAsync } from './steps.ts'
import { Arenas } from './wasm-arena.ts'
import type { Crew } from './wasm-crew.ts'
import { isFew } from './wasm-few.ts'
import { layoutFor } from './wasm-heads.ts'
import { KEY_BLOCK, STRIP } from './wasm-kernel.ts'
import { isLow } from './wasm-low.ts'
import type { WasmVariant } from './wasm-probe.ts'
import { attend } from './wasm-steps.ts'
import { isWorthThreads, MOST_THREADS, threadsHere } from './wasm-threads.ts'

export { supportsWasm, variantOf } from './wasm-probe.ts'

const ISA = { simd: 'simd128', relaxed: 'relaxed-simd' }

/** Loads the pool of workers of a build; absent where the host has none. */
export type LoadCrew = (module: WebAssembly.Module) => Promise<Crew>

/**
 * Opens a build on this engine; synchronous, as compiling the module is the caller's part.
 * @throws Error where more threads are asked for than there are
 */
export function openWasm(
  variant: WasmVariant,
  module: WebAssembly.Module,
  loadCrew?: LoadCrew,
  threads?: number,
): Backend {
  const here = loadCrew ? threadsHere() : 'this runtime has no workers'
  const own = typeof here === 'string' ? 1 : (threads ?? here)
  if (typeof here === 'string' && threads !== undefined && threads > 1)
    throw new Error(`threads: expected 1, got ${threads}: ${here}`)
  let crew: Promise<Crew> | undefined
  const { bfloat16, int8, ...run } = Feature
  const arenas = new Arenas(module)
  return {
    name: `wasm-${variant}`,
    isa: ISA[variant],
    threads: 1,
    maxThreads: 1,
    features: Object.values(run).reduce((all, bit) => all | bit, 0),
    run: (plan, arrays) => runSteps(attend(plan, arrays, arenas)),
    ...(typeof here === 'number' && { async: { threads: own, maxThreads: MOST_THREADS } }),
    note: `attentionAsync on ${own} thread${own > 1 ? 's' : typeof here === 'string' ? `: ${here}` : ''}`,
    async runAsync(plan, arrays, signal) {
      if (plan.threads > 1 && loadCrew && isWorthThreads(plan, arrays)) {
        crew ??= loadCrew(module)
        return (await crew).run(plan, arrays, signal)
      }
      const steps = attend(plan, arrays, arenas)
      try {
        await runStepsAsync(steps, signal)
      } finally {
        // An aborted call still has its arena: ending the generator gives it back.
        steps.return()
      }
    },
    storage: bytes => arenas.storage(bytes),
    describe(plan) {
      const item = { queryRows: plan.queries }
      const { heads, rows, bytes } = layoutFor(plan, item)
      const stacked = plan.queries * (plan.heads / plan.kvHeads)
      return {
        kernel: isFew(plan, item)
          ? 'decode'
          : isLow(plan, item)
            ? 'int16 prefill'
            : 'blocks through an arena',
        tile: { queries: STRIP, keys: 4, block: KEY_BLOCK },
        split: 1,
        tasks: plan.batch * Math.ceil(plan.kvHeads / heads) * Math.ceil(stacked / rows),
        scratchBytes: bytes,
      }
    },
  }
}
