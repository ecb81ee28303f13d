/**
 * The WASM kernels by themselves: the records that host and kernel share, half types, and that nothing is left
 * to another backend.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Arena } from '../src/backends/wasm-arena.ts'
import { compileInline } from '../src/backends/wasm-inline.ts'
import { STATE, STATE_SINK, STATE_WORDS, TASK } from '../src/backends/wasm-kernel.ts'
import { supportsWasm } from '../src/backends/wasm-probe.ts'
import type { AttentionOptions } from '../src/index.ts'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../src/numeric/half.ts'
import { buildCall } from './support/cases.ts'
import { root } from './support/child.ts'
import { kernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { scoreCases } from './support/score-cases.ts'
import './support/replay.ts'

/** `export const NAME: usize = 12` of a file of assembly/. */
function offsetsOf(file: string): Record<string, number> {
  const text = readFileSync(join(root, 'assembly', file), 'utf8')
  const found = text.matchAll(/^export const (\w+): usize = (\d+)$/gm)
  return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]))
}

const upper = (name: string): string => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()

describe('host and kernel agree', () => {
  test('on the task', () => {
    const offsets = offsetsOf('task.ts')
    for (const [name, word] of Object.entries(TASK)) expect(offsets[upper(name)], name).toBe(4 * word)
  })

  test('on the state of a strip', () => {
    const offsets = offsetsOf('strip.ts')
    for (const [name, word] of Object.entries(STATE)) expect(offsets[upper(name)], name).toBe(4 * word)
    expect(offsets.SINK).toBe(8 * STATE_SINK)
    expect(offsets.STRIP_BYTES).toBe(4 * STATE_WORDS)
  })
})

describe.each(
  kernels.filter(({ backend }) => backend.startsWith('wasm')).map(row => [row.name, row] as const),
)('every option runs on %s', (name, platform) => {
  test('itself', () => {
    const api = platform.open()
    for (const c of scoreCases()) {
      const { q, k, v, options } = buildCall(c)
      const { backend, missing } = api.plan(q, k, v, options as AttentionOptions)
      expect({ backend, missing }, c.name).toEqual({ backend: name, missing: [] })
    }
  })
})

const variants = (['simd', 'relaxed'] as const).filter(variant => supportsWasm(variant) === undefined)
/** Storage types, as in src/attention/plan.ts. */
const HALVES = [
  ['float16', 1, fromFloat16, toFloat16],
  ['bfloat16', 2, fromBfloat16, toBfloat16],
] as const

describe.each(variants)('half types in the %s build', variant => {
  const arena = new Arena(compileInline(variant))
  const AT = 2 ** 16

  test.each(HALVES)(
    'every %s is read as what it is, also from the upper half of its own room',
    (_, type, from) => {
      const count = 2 ** 16
      for (let bits = 0; bits < count; bits++) arena.halves[AT / 2 + count + bits] = bits
      arena.kernel.widen(AT + 2 * count, AT, count, type)
      for (let bits = 0; bits < count; bits++) {
        const got = arena.floats[AT / 4 + bits]
        if (!Object.is(got, from(bits))) expect.fail(`${bits.toString(16)}: ${got} instead of ${from(bits)}`)
      }
    },
  )

  test.each(HALVES)('numbers are rounded to %s as by the tables, in place', (_, type, from, to) => {
    const source = random(17)
    const numbers: number[] = []
    // All halves, what lies in the middle of two and just beside it, and any bits at all.
    for (let bits = 0; bits < 2 ** 16; bits += 7) {
      const [low, high] = [from(bits), from(bits + 1)]
      const middle = Math.fround((low + high) / 2)
      numbers.push(low, middle, Math.fround(middle * (1 + 2 ** -23)), Math.fround(middle * (1 - 2 ** -23)))
    }
    const word = new Uint32Array(1)
    const float = new Float32Array(word.buffer)
    for (let n = 0; n < 20_000; n++) {
      word[0] = source.word()
      numbers.push(float[0])
    }
    while (numbers.length % 8 !== 0) numbers.push(0)
    arena.floats.set(numbers, AT / 4)
    arena.kernel.narrow(AT, AT, numbers.length, type)
    for (const [n, number] of numbers.entries()) {
      const got = arena.halves[AT / 2 + n]
      const same = Number.isNaN(number) ? Number.isNaN(from(got)) : got === to(number)
      if (!same) expect.fail(`${number}: ${got.toString(16)} instead of ${to(number).toString(16)}`)
    }
  })
})
