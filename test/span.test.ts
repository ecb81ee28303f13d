/**
 * The addon by itself, given plans that lie: it must refuse with a RangeError or stay inside its arrays.
 * The arrays lie in the middle of larger ones, so that a write outside of them shows.
 * @module
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PLAN_WORDS, Storage } from '../src/attention/plan.ts'
import { hasAddon, root } from './support/child.ts'
import { random } from './support/random.ts'
import './support/replay.ts'
import { ARRAYS, type Item, KEYS, QUERIES, Scene, spoil, type Words } from './support/scene.ts'
import { seedOf } from './support/sweep.ts'

interface Addon {
  isas: { isa: string; supported: boolean }[]
  run(...call: unknown[]): void
  runAsync(...call: unknown[]): Promise<void>
  describe(...call: unknown[]): unknown
}

describe.skipIf(!hasAddon)('the addon', () => {
  const addon: Addon = hasAddon
    ? createRequire(import.meta.url)(join(root, 'build', 'Release', 'selfsame.node'))
    : { isas: [] }
  const isas = addon.isas.filter(({ supported }) => supported).map(({ isa }) => isa)

  const run = (scene: Scene, isa: string = isas[0]): void => addon.run(...scene.call(isa))

  const kinds = ['whole', 'paged', 'int8'] as const
  test.each(isas.flatMap(isa => kinds.map(kind => [isa, kind] as const)))(
    'runs an honest plan on %s, %s',
    (isa, kind) => {
      const scene = new Scene(kind)
      run(scene, isa)
      // Equal keys give equal weights, and equal values give themselves.
      expect(scene.arrays.out.data.every(x => Math.abs(x - 3) < 1e-5)).toBe(true)
      expect(scene.arrays.weights.data.every(x => Math.abs(x - 1 / KEYS) < 1e-6)).toBe(true)
      expect(scene.arrays.mass.data.every(x => Math.abs(x - QUERIES / KEYS) < 1e-6)).toBe(true)
      expect(scene.arrays.scores.data.every(x => Math.abs(x - 0.4 * 6 * 0.125) < 1e-6)).toBe(true)
      expect(scene.intact()).toBe(true)
    },
  )

  const masks = ['keepBatch', 'keepHead', 'keepRow', 'dropHead', 'dropRow', 'biasRow']
  const reading = [
    ...['qBatch', 'qHead', 'qRow', 'kBatch', 'kHead', 'kRow', 'vBatch', 'vHead', 'vRow', ...masks],
  ]
  const writing = [
    'oBatch',
    'oHead',
    'oRow',
    'lseBatch',
    'lseHead',
    'lseRow',
    'weightsBatch',
    'weightsHead',
    'weightsRow',
    'massBatch',
    'massHead',
  ]
  const sizes = ['batch', 'heads', 'queries', 'keys', 'headDim', 'valueDim']
  const bad = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -1,
    0.5,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    2 ** 64,
    1e300,
  ]

  test.each([...reading, ...writing, ...sizes] as (keyof Words)[])(
    'refuses %s that is no size or far too large',
    name => {
      for (const value of bad) {
        const scene = new Scene()
        scene.words[name] = value
        expect(() => run(scene), `${name} ${value}`).toThrow(RangeError)
        expect(scene.intact()).toBe(true)
      }
    },
  )

  test.each([...reading, ...writing, 'headDim', 'valueDim'] as (keyof Words)[])(
    'refuses %s that is one too large',
    name => {
      const scene = new Scene()
      scene.words[name] += 1
      expect(() => run(scene)).toThrow(RangeError)
    },
  )

  test.each(['heads', 'kvHeads'] as const)('refuses %s that do not fit', name => {
    for (const value of [0, 3, 8, -2, Number.NaN]) {
      const scene = new Scene()
      scene.words[name] = value
      expect(() => run(scene), `${value}`).toThrow(RangeError)
    }
  })

  const words = [
    'qType',
    'kvType',
    'outType',
    'biasType',
    'scoresAt',
    'pageKeys',
    'keepKey',
    'biasKey',
  ] as const
  test.each(['batch', 'outputs', 'features', 'left', 'right', 'sinkTokens', ...words] as const)(
    'refuses %s it does not know',
    name => {
      for (const value of [Number.NaN, 1e300, -(2 ** 40), 0.5]) {
        const scene = new Scene()
        scene.words[name] = value
        expect(() => run(scene), `${value}`).toThrow(RangeError)
      }
    },
  )

  test.each([
    ['queryFirst', [-1, 1, 0x7fffffff, -0x80000000]],
    ['queryTotal', [-1, QUERIES + 1, 0x7fffffff, -0x80000000]],
    ['queryRows', [-1, QUERIES + 1, 0x7fffffff]],
    ['keyFirst', [-1, 1, 0x7fffffff, -0x80000000]],
    ['keyTotal', [-1, KEYS - 1, KEYS + 1, 0x7fffffff, -0x80000000]],
    ['keyBegin', [-1, -0x80000000]],
    ['keyEnd', [-1, KEYS + 1, 0x7fffffff, -0x80000000]],
  ] as [keyof Item, number[]][])('refuses items whose %s lies outside', (name, values) => {
    for (const value of values) {
      const scene = new Scene()
      scene.items[1][name] = value
      expect(() => run(scene), `${value}`).toThrow(RangeError)
    }
  })

  test('counts positions of any size without overflow', () => {
    for (const position of [-0x80000000, 0x7fffffff, 0]) {
      for (const left of [-0x7fffffff, -3, 0, 0x7ffffffe, 0x7fffffff]) {
        for (const right of [-0x7fffffff, -3, 0, 0x7ffffffe, 0x7fffffff]) {
          const scene = new Scene()
          for (const item of scene.items) item.position = position
          Object.assign(scene.words, { left, right })
          run(scene)
          expect(scene.intact()).toBe(true)
        }
      }
    }
  })

  const optional = ['keep', 'drop', 'bias', 'alibi', 'sinks']
  test.each(['q', 'k', 'v', 'out', 'lse', 'weights', 'scores', 'mass', ...optional] as const)(
    'refuses %s that is too short, absent, detached or of another type',
    name => {
      const at = (ARRAYS as readonly string[]).indexOf(name) + 4
      const { data } = new Scene().arrays[name as 'q']
      const gone = new Float32Array(data.length)
      structuredClone(gone.buffer, { transfer: [gone.buffer] })
      const wrong = [
        data.subarray(1),
        undefined,
        gone,
        new Float64Array(data.length),
        new Int16Array(4 * data.length),
        [...data],
        {},
        'x',
        null,
      ]
      for (const value of wrong) {
        const call = new Scene().call(isas[0])
        call[at] = value
        expect(() => addon.run(...call)).toThrow(/.+/)
      }
    },
  )

  test.each([
    ['a row beyond the last', [0, QUERIES]],
    ['a negative row', [-1]],
    ['a row far away', [0x7fffffff]],
    ['more rows than weights hold', new Array(QUERIES + 1).fill(0)],
  ])('refuses %s', (_what, rows) => {
    const scene = new Scene()
    scene.rows = Int32Array.from(rows)
    expect(() => run(scene)).toThrow(RangeError)
  })

  test.each([[-2], [2], [0x7fffffff], [-0x80000000]])('refuses page %s', page => {
    const scene = new Scene('paged')
    scene.arrays.pages.data[1] = page
    expect(() => run(scene)).toThrow(RangeError)
  })

  test('passes over a page that is not there', () => {
    const scene = new Scene('paged')
    scene.arrays.pages.data[1] = -1
    run(scene)
    expect(scene.intact()).toBe(true)
  })

  test('refuses fewer pages than the keys need', () => {
    const scene = new Scene('paged')
    scene.words.pagesPerItem = 0
    expect(() => run(scene)).toThrow(RangeError)
    scene.words.pagesPerItem = 2
    expect(() => run(scene)).toThrow(RangeError)
  })

  test('refuses int8 outside of pages, and pages too short for their scales', () => {
    const outside = new Scene()
    outside.words.kvType = Storage.int8
    expect(() => run(outside)).toThrow(/kvType/)
    for (const name of ['k', 'v'] as const) {
      const scene = new Scene('int8')
      scene.arrays[name].data = scene.arrays[name].data.subarray(0, -1)
      expect(() => run(scene)).toThrow(RangeError)
    }
  })

  test('refuses arguments that are none', async () => {
    const call = new Scene().call(isas[0])
    for (let length = 0; length < 15; length++)
      expect(() => addon.run(...call.slice(0, length))).toThrow(/.+/)
    expect(() => addon.run('sse9', ...call.slice(1))).toThrow(/sse9/)
    for (const threads of [0, -1, Number.NaN, '2', undefined])
      expect(() => addon.run(call[0], threads, ...call.slice(2))).toThrow(/threads/)
    for (const words of [new Float64Array(3), new Float32Array(PLAN_WORDS.length), undefined]) {
      expect(() => addon.run(call[0], 1, words, ...call.slice(3))).toThrow(/.+/)
      expect(() => addon.describe(call[0], 1, words, call[3])).toThrow(/.+/)
    }
    for (const items of [new Int32Array(13), new Int32Array(7), new Int32Array(21), undefined]) {
      expect(() => addon.run(call[0], 1, call[2], items, ...call.slice(4))).toThrow(/.+/)
    }
    await expect(async () => addon.runAsync(...call.slice(0, 6))).rejects.toThrow(/.+/)
  })

  test.each(isas)('keeps inside its arrays whatever the words are: %s', isa => {
    const source = random(seedOf('span', 1))
    let ran = 0
    for (let n = 0; n < 6000; n++) {
      const scene = new Scene(kinds[n % 3])
      spoil(scene, source)
      try {
        run(scene, isa)
        ran++
      } catch (error) {
        // A type that is not that of its array is a TypeError, all else a RangeError.
        const { message } = error as Error
        expect(error).toBeInstanceOf(/expected an? [A-Z]\w+Array/.test(message) ? TypeError : RangeError)
      }
      if (!scene.intact())
        expect.fail(`wrote outside: ${JSON.stringify([scene.words, scene.items, scene.rows])}`)
    }
    expect(ran).toBeGreaterThan(200)
  })
})
