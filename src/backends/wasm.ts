/**
 * The WASM backends: one kernel source in two builds, plain SIMD and relaxed SIMD.
 * @module
 */
import { Feature } from '../attention/plan.ts'
import type { Backend } from './backend.ts'
import { runSteps, runStepsAsync } from './steps.ts'
import { Arenas } from './wasm-arena.ts'
import { layoutFor } from './wasm-heads.ts'
import { KEY_BLOCK, STRIP } from './wasm-kernel.ts'
import type { WasmVariant } from './wasm-probe.ts'
import { attend } from './wasm-steps.ts'

export { supportsWasm, variantOf } from './wasm-probe.ts'

const ISA = { simd: 'simd128', relaxed: 'relaxed-simd' }

/** Opens a build on this engine; synchronous, as compiling the module is the caller's part. */
export function openWasm(variant: WasmVariant, module: WebAssembly.Module): Backend {
  const { int16, bfloat16, int8, ...run } = Feature
  const arenas = new Arenas(module)
  return {
    name: `wasm-${variant}`,
    isa: ISA[variant],
    threads: 1,
    maxThreads: 1,
    features: Object.values(run).reduce((all, bit) => all | bit, 0),
    run: (plan, arrays) => runSteps(attend(plan, arrays, arenas)),
    async runAsync(plan, arrays, signal) {
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
      const { heads, rows, bytes } = layoutFor(plan, { queryRows: plan.queries })
      const stacked = plan.queries * (plan.heads / plan.kvHeads)
      return {
        kernel: 'blocks through an arena',
        tile: { queries: STRIP, keys: 4, block: KEY_BLOCK },
        split: 1,
        tasks: plan.batch * Math.ceil(plan.kvHeads / heads) * Math.ceil(stacked / rows),
        scratchBytes: bytes,
      }
    },
  }
}
