import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'
import { supportsWasm } from './src/backends/wasm-probe.ts'

/** Node 20 keeps relaxed SIMD behind a flag; later ones have it, and may no longer know the flag. */
function relaxedFlag(): string[] {
  const flag = '--experimental-wasm-relaxed-simd'
  if (supportsWasm('relaxed') === undefined) return []
  return spawnSync(process.execPath, [flag, '-e', '']).status === 0 ? [flag] : []
}

// Where a run is counted (.ci/run, scripts/test-nodes.mjs), this names the file for its JSON report.
const report = process.env.SELFSAME_TEST_REPORT

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those have tools, a tarball and a configuration of their own (scripts/test-runtimes.mjs).
    exclude: ['**/node_modules/**', 'test/runtimes/**'],
    pool: 'forks',
    // The tests ask for the slow way hundreds of times; those of the warning itself listen for its event.
    execArgv: ['--disable-warning=SelfsameWarning', ...relaxedFlag()],
    // Tests use threads of their own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    slowTestThreshold: 5000,
    watch: false,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
})
