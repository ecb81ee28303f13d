/**
 * Lists of cases as tests: every case on every platform.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { type Case, workOf } from './cases.ts'
import { checkCase } from './check.ts'
import { compareBits } from './compare.ts'
import { type Platform, platforms } from './platforms.ts'
import './replay.ts'
import { SLOW_WORK } from './sweep.ts'

export function conformance(list: string, cases: readonly Case[]): void {
  describe(list, () => {
    for (const c of cases) {
      const fitting = platforms.filter(platform => !platform.slow || workOf(c) <= SLOW_WORK)
      if (fitting.length === 0) continue
      describe(c.name, () => {
        // Threads never change a bit: what one platform computes with one thread, it computes with two.
        const single = new Map<string, Float32Array>()
        for (const platform of fitting) {
          test(platform.name, () => {
            const { problems, output } = checkCase(c, platform.open())
            expect(problems.join('\n')).toBe('')
            const key = kernelOf(platform)
            const other = single.get(key)
            const threads = `${key} with 1 and ${platform.threads} threads`
            if (other) expect(compareBits(threads, other, output)).toBeUndefined()
            single.set(key, output)
          })
        }
      })
    }
  })
}

function kernelOf(platform: Platform): string {
  return `${platform.backend}-${platform.isa}`
}
