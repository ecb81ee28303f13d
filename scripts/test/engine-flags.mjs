/**
 * Flags for programs that use every backend on purpose.
 * @module
 */
import { spawnSync } from 'node:child_process'

/** The slow way is no news to them; and Node 20 keeps relaxed SIMD behind a flag that later ones may not know. */
export function engineFlags() {
  const flags = ['--disable-warning=SelfsameWarning', '--experimental-wasm-relaxed-simd']
  return flags.filter(flag => spawnSync(process.execPath, [flag, '-e', '']).status === 0)
}
