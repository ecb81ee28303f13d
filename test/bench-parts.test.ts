/**
 * The parts of the bench: what it is asked for, what it holds results to, and what it takes for a change.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judge } from '../bench/change.ts'
import type { Shape, Work } from '../bench/contender.ts'
import { openContender } from '../bench/contenders.ts'
import { workOf } from '../bench/data.ts'
import { instructionsIn } from '../bench/instructions.ts'
import { readOptions } from '../bench/options.ts'
import { PRICED } from '../bench/priced.ts'
import type { Line } from '../bench/result.ts'
import { SHAPES, shapeOf } from '../bench/shapes.ts'
import { type Round, roundOf, summarize } from '../bench/stats.ts'
import { compare, verify } from '../bench/verify.ts'
import { root } from './support/child.ts'
import { random } from './support/random.ts'

const COMPARE = fileURLToPath(new URL('../dist/bench/compare.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'selfsame-bench-parts-'))
const peers = join(folder, 'peers')

beforeAll(() => {
  mkdirSync(peers)
  writeFileSync(join(peers, 'honest.mjs'), '')
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('the command line', () => {
  const read = (...args: string[]): ReturnType<typeof readOptions> =>
    readOptions(['--peers', peers, ...args], 2)

  test.each([
    [['--shape', 'bert-512,bret'], /--shape: expected names out of bert-512, .*got 'bret'/],
    [['--against', 'onnx'], /--against: expected names out of honest, .*got 'onnx'/],
    [['--backend', 'cuda'], /--backend: .*got 'cuda'/],
    [['--isa', 'sse9'], /--isa: .*got 'sse9'/],
    [['--threads', '1,9'], /--threads: expected at most 2.*got 9/],
    [['--threads', 'all'], /--threads: expected a whole number.*got 'all'/],
    [['--rounds', '0'], /--rounds: .*got '0'/],
    [['--publish', '--quick'], /--publish: expected a whole run/],
    [['--fast'], /--fast/],
    [['bert-512'], /bert-512/],
  ])('%j is refused', (args, message) => {
    expect(() => read(...args)).toThrow(message)
  })

  test('names choose, and families stand for their members', () => {
    const options = read(
      '--backend',
      'wasm',
      '--against',
      'none',
      '--shape',
      'tiny,threads',
      '--threads',
      '2,1',
    )
    expect(options).toMatchObject({
      contenders: ['wasm-relaxed', 'wasm-simd'],
      shapes: [{ name: 'tiny' }],
      sweeps: ['threads'],
      threads: [1, 2],
    })
  })

  test('unless told, some minutes are measured; to publish, all', () => {
    const some = read()
    const whole = read('--publish')
    expect(some).toMatchObject({ sweeps: ['sequence'], priced: [], rounds: 2, publish: false })
    expect(whole).toMatchObject({ sweeps: ['sequence', 'threads'], rounds: 3, publish: true })
    expect(whole).toMatchObject({ ...read('--shape', 'all'), rounds: 3, publish: true })
    expect(some).toMatchObject({ contenders: expect.arrayContaining(['honest', 'plain-loop']) })
    const names = 'shapes' in some ? some.shapes.map(({ name }) => name) : []
    expect(names).toEqual(expect.arrayContaining(['bert-512', 'gpt-1024', 'ragged', 'decode-4096']))
    expect(names).not.toContain('long-32768')
    expect(whole).toMatchObject({ shapes: SHAPES, priced: PRICED })
  })

  test('options are named alone or all together', () => {
    expect(read('--shape', 'options')).toMatchObject({ shapes: [], sweeps: [], priced: PRICED })
    const one = read('--shape', 'option-window,tiny')
    expect(one).toMatchObject({ shapes: [{ name: 'tiny' }], priced: [{ shape: { name: 'option-window' } }] })
  })

  test('a report can be drawn again without measuring', () => {
    expect(read('--redraw', 'old.json', '--publish')).toMatchObject({ redraw: 'old.json', publish: true })
  })
})

describe('the oracle', () => {
  const small = { heads: 4, queries: 9, headDim: 6, note: '' }
  const shapes: Shape[] = [
    shapeOf({ ...small, name: 'square', causal: 'top-left' }),
    shapeOf({ ...small, name: 'grouped', kvHeads: 2, keys: 21, valueDim: 5, causal: 'bottom-right' }),
    shapeOf({ ...small, name: 'lengths', batch: 3, queries: 1, keys: 12, keyLengths: [12, 1, 7] }),
    shapeOf({ ...small, name: 'ragged', batch: 3, cuSeqlens: [0, 9, 10, 16], causal: 'top-left' }),
  ]

  async function outputOf(name: string, work: Work): Promise<Float32Array> {
    const contender = await openContender(name, peers)
    const prepared = await contender.prepare(work)
    if (typeof prepared === 'string') throw new Error(prepared)
    await prepared.run()
    return prepared.output()
  }

  test.each(shapes.map(shape => [shape.name, shape] as const))(
    '%s: backend, loop and oracle agree',
    async (_, shape) => {
      const work = workOf(shape, 1)
      for (const name of ['reference', 'plain-loop']) {
        const output = await outputOf(name, work)
        expect(verify(work, output)).toMatchObject({ wrong: undefined })
        expect(verify(work, output).maxAbs).toBeLessThan(1e-6)
        output[output.length - 1] += 1e-3
        expect(verify(work, output).wrong).toMatch(/max abs 1\.0e-3/)
      }
    },
  )

  test('a mask that is forgotten, NaN and a missing row are seen', async () => {
    const work = workOf(shapes[0], 1)
    const open = { ...work, shape: { ...shapes[0], causal: 'none' as const } }
    expect(verify(work, await outputOf('reference', open)).wrong).toBeDefined()
    expect(compare([1, Number.NaN, 3], Float64Array.of(1, 2, 3)).wrong).toBeDefined()
    expect(verify(work, new Float32Array(3)).wrong).toBe('3 numbers instead of 216')
  })
})

describe('change', () => {
  /** Rounds of a contender that takes `ms`, trembling by so much from round to round and run to run. */
  function rounds(seed: number, count: number, ms: number, tremble: number): Round[] {
    const source = random(seed)
    return Array.from({ length: count }, () => {
      const round = ms * (1 + tremble * source.normal())
      return roundOf(Array.from({ length: 20 }, () => round * (1 + tremble * Math.abs(source.normal()))))
    })
  }

  test('a tenth is found, in both directions', () => {
    for (let seed = 0; seed < 50; seed++) {
      const base = rounds(seed, 5, 10, 0.005)
      expect(judge(base, rounds(seed + 100, 5, 11, 0.005))).toMatchObject({ verdict: 'slower' })
      expect(judge(base, rounds(seed + 200, 5, 9, 0.005))).toMatchObject({ verdict: 'faster' })
    }
  })

  test('noise is not', () => {
    const verdicts = Array.from({ length: 200 }, (_, seed) =>
      judge(rounds(seed, 5, 10, 0.03), rounds(seed + 1000, 5, 10, 0.03)),
    )
    // One interval of a hundred may miss.
    expect(verdicts.filter(change => change!.verdict !== 'noise').length).toBeLessThan(8)
  })

  test('a single round says nothing', () => {
    expect(judge(rounds(1, 1, 10, 0), rounds(2, 1, 20, 0))).toBeUndefined()
  })

  test('two files: what got slower, and the exit code', () => {
    const file = (name: string, ms: number): string => {
      const line = (contender: string, seed: number, time: number): Line => ({
        group: 'shapes',
        contender,
        shape: 'tiny',
        threads: 1,
        outcome: 'timed',
        rounds: rounds(seed, 5, time, 0.005),
      })
      const path = join(folder, name)
      const lines = [line('native-avx2', ms, ms), line('reference', ms + 1, 10)]
      writeFileSync(path, JSON.stringify({ format: 1, lines }))
      return path
    }
    const run = (...files: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [COMPARE, ...files], { encoding: 'utf8' })
    const [base, slow, again] = [file('base.json', 20), file('slow.json', 22), file('again.json', 20)]
    const found = run(base, slow)
    expect(found.status).toBe(1)
    expect(found.stdout).toMatch(/^slower {2}tiny {2}native-avx2 +\+\d+\.\d % time/m)
    expect(found.stdout).not.toMatch(/^(slower|faster).*reference/m)
    expect(run(base, again)).toMatchObject({ status: 0 })
    expect(run(join(folder, 'none.json'))).toMatchObject({ status: 1 })
    expect(run('--old', folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--old: expected a checkout that is built'),
    })
  })

  test('a build against itself, by turns', () => {
    const args = ['--old', root, '--shape', 'tiny', '--backend', 'reference', '--rounds', '2']
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMPARE, ...args], {
      encoding: 'utf8',
      timeout: 55_000,
    })
    expect(stderr).toContain('[1/2] round 2 of 2, tiny, reference')
    // Two rounds cannot tell anything smaller than a multiple.
    expect(stdout).toMatch(/1 did not move beyond noise|^(slower|faster)/m)
    expect(status).toBe(/^slower/m.test(stdout) ? 1 : 0)
  })
})

test('the median is that of the fastest round, the spread that of all', () => {
  const few = roundOf([4, 4, 4])
  const many = roundOf(Array.from({ length: 1000 }, (_, i) => 2 + (i % 3) / 10))
  expect(summarize([few, many])).toMatchObject({ median: 2.1, min: 2, samples: 1003 })
  expect(summarize([few, many]).spread).toBeGreaterThan(0.5)
  expect(summarize([few]).spread).toBe(0)
})

test('instructions of one object file, without those of what it calls', () => {
  const profile = [
    'events: Ir',
    'ob=(1) /usr/bin/node',
    'fn=(1) main',
    '10 1000',
    'cob=(2) /x/selfsame.node',
    'cfn=(2) run',
    'calls=1 20',
    '11 700',
    'ob=(2)',
    'fn=(2)',
    '20 500',
    '+3 100',
    'cob=(1)',
    'cfn=(1)',
    'calls=2 10',
    '* 90',
    '* 7',
    'ob=(1)',
    '12 5',
  ].join('\n')
  expect(instructionsIn(profile, 'selfsame.node')).toBe(607)
})
