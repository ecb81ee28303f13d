import { defineConfig } from 'vitest/config'

const report = process.env.SELFSAME_TEST_REPORT

// scripts/test-runtimes.mjs lays out build/runtimes and starts this.
export default defineConfig({
  test: {
    include: ['test/runtimes/**/*.test.ts'],
    pool: 'forks',
    // The times that these tests measure are published: one program at a time.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    watch: false,
    reporters: report ? ['verbose', ['json', { outputFile: report }]] : ['verbose'],
  },
})
