/**
 * What Node must be told for a job.
 * @module
 */
import { supportsWasm } from '../src/backends/wasm-probe.ts'
import type { Job } from './job.ts'

/** Node 20 has relaxed SIMD behind this flag. */
const RELAXED = '--experimental-wasm-relaxed-simd'

export function flagsFor(job: Job): string[] {
  return 'contender' in job && job.contender === 'wasm-relaxed' && supportsWasm('relaxed') ? [RELAXED] : []
}
