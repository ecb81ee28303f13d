/**
 * What this machine tests, and why it leaves out the rest.
 * SELFSAME_TEST_EXPECT=native,wasm-simd,… makes the absence of those a failure; CI sets it.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { absent, expectedIsas, namedPlatforms, platforms } from './support/platforms.ts'
import './support/replay.ts'

const expected = (process.env.SELFSAME_TEST_EXPECT ?? '').split(',').filter(Boolean)
const find = (name: string): boolean => platforms.some(platform => platform.name === name)
const reasonOf = (name: string): string | undefined => absent.find(row => row.name === name)?.reason

describe('platforms', () => {
  for (const { name, reason } of absent)
    console.log(`not tested here: ${name}: ${reason.replaceAll('\n', ' ')}`)

  test('wasm-simd and reference are always there', () => {
    expect(reasonOf('wasm-simd')).toBeUndefined()
    expect(find('reference')).toBe(true)
  })

  const isas = expectedIsas()
  const names = isas.flatMap(isa => [`native-${isa} t1`, `native-${isa} t2`])
  for (const name of [...names, 'wasm-relaxed']) {
    const family = name.startsWith('native') ? 'native' : name
    test(`${name} is there`, context => {
      const reason = reasonOf(name)
      if (reason !== undefined && !expected.includes(family)) return context.skip(reason)
      expect(reason).toBeUndefined()
      expect(find(name)).toBe(true)
    })
  }

  test.each(namedPlatforms)('%s says what it is', (_, platform) => {
    const info = platform.open().info()
    expect(info.backend).toBe(platform.backend)
    if (platform.isa !== undefined) expect(info.isa).toBe(platform.isa)
    expect(info.threads).toBe(platform.threads)
    expect(info.candidates.find(candidate => candidate.name === platform.backend)?.ok).toBe(true)
    expect(info.version).toMatch(/^\d+\.\d+\.\d+/)
  })
})
