/**
 * Caches ask the system for large pages before they write, through whatever backend the entry has.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { KvCache } from '../src/index.ts'
import { addon } from './support/addon.ts'
import { hasAddon } from './support/child.ts'

const THP = '/sys/kernel/mm/transparent_hugepage/enabled'
const MEBIBYTE = 2 ** 20

/** Bytes of this process in mappings that are marked for large pages ('hg'). */
function markedBytes(): number {
  let size = 0
  let marked = 0
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const [name, ...rest] = line.split(/\s+/)
    if (name === 'Size:') size = Number(rest[0]) * 1024
    if (name === 'VmFlags:' && rest.includes('hg')) marked += size
  }
  return marked
}

test.runIf(hasAddon && existsSync(THP))(
  'large storage is marked for large pages, small storage is not',
  () => {
    const before = markedBytes()
    const small = new KvCache({ kvHeads: 1, headDim: 64, capacity: 256 })
    expect(small.length).toBe(0)
    expect(markedBytes()).toBe(before)
    const large = new KvCache({ kvHeads: 8, headDim: 128, capacity: 8192 })
    expect(large.length).toBe(0)
    // Two stores of 32 MiB, each of which may begin and end within a large page.
    expect(markedBytes() - before).toBeGreaterThanOrEqual(56 * MEBIBYTE)
  },
)

test.runIf(hasAddon)('the addon takes any array, and nothing else', () => {
  for (const array of [new Float32Array(0), new Uint16Array(3), new Float32Array(2 ** 22).subarray(5)])
    expect(() => addon.preferLargePages(array)).not.toThrow()
  for (const value of [undefined, 1, [1], new ArrayBuffer(8)])
    expect(() => addon.preferLargePages(value)).toThrow(/array: expected a typed array/)
})
