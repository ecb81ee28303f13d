/**
 * The addon's prepared plans by themselves: a plan is checked when it is prepared, its arrays at every call.
 * @module
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasAddon, root } from './support/child.ts'
import { random } from './support/random.ts'
import './support/replay.ts'
import { Scene, spoil } from './support/scene.ts'
import { seedOf } from './support/sweep.ts'

type Prepared = (...tensors: unknown[]) => void

interface Addon {
  isas: { isa: string; supported: boolean }[]
  prepare(...plan: unknown[]): Prepared
}

describe.skipIf(!hasAddon)('a prepared plan', () => {
  const addon: Addon = hasAddon
    ? createRequire(import.meta.url)(join(root, 'build', 'Release', 'selfsame.node'))
    : { isas: [] }
  const isas = addon.isas.filter(({ supported }) => supported).map(({ isa }) => isa)
  const [isa] = isas

  test.each(isas)('runs again and again on %s', isa => {
    const scene = new Scene()
    const { plan, tensors } = scene.plain(isa)
    const run = addon.prepare(...plan)
    for (let n = 0; n < 3; n++) {
      scene.arrays.v.data.fill(n)
      run(...tensors)
      expect(scene.arrays.out.data.every(x => Math.abs(x - n) < 1e-5)).toBe(true)
      expect(scene.intact()).toBe(true)
    }
  })

  test.each([0, 1, 2, 3])('refuses array %i that is too short, absent, detached or of another type', at => {
    const { plan, tensors } = new Scene().plain(isa)
    const run = addon.prepare(...plan)
    const gone = new Float32Array(tensors[at].length)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    for (const value of [tensors[at].subarray(1), undefined, gone, new Float64Array(999), {}, 'x', null]) {
      // What an earlier call has brought must not serve a later one.
      run(...tensors)
      expect(() => run(...tensors.map((own, i) => (i === at ? value : own)))).toThrow(/.+/)
    }
    expect(() => run()).toThrow(/q/)
  })

  test('refuses a plan that lies, and one that asks for more arrays when it runs', () => {
    const { plan, tensors } = new Scene().plain(isa)
    const scene = new Scene()
    scene.words.heads = 3
    expect(() => addon.prepare(...scene.plain(isa).plan)).toThrow(RangeError)
    for (let length = 0; length < 4; length++)
      expect(() => addon.prepare(...plan.slice(0, length))).toThrow(/.+/)
    for (const more of [{ features: 2 }, { features: 4 }, { outputs: 3 }, { outputs: 5 }, { outputs: 19 }]) {
      const other = new Scene()
      other.plain(isa)
      Object.assign(other.words, more)
      const run = addon.prepare(...other.call(isa).slice(0, 4))
      expect(() => run(...tensors)).toThrow(RangeError)
    }
  })

  test.each(isas)('keeps inside its arrays whatever the words are: %s', isa => {
    const source = random(seedOf('prepared', 1))
    let ran = 0
    for (let n = 0; n < 2000; n++) {
      const scene = new Scene()
      spoil(scene, source)
      const { plan, tensors } = scene.plain(isa)
      try {
        addon.prepare(...plan)(...tensors)
        ran++
      } catch (error) {
        expect(error).toBeInstanceOf(
          /expected an? [A-Z]\w+Array/.test((error as Error).message) ? TypeError : RangeError,
        )
      }
      if (!scene.intact()) expect.fail(`wrote outside: ${JSON.stringify([scene.words, scene.items])}`)
    }
    expect(ran).toBeGreaterThan(100)
  })
})
