/**
 * The order of a run, and what it leaves out: with children that answer at once, whatever is asked.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Shape } from '../bench/contender.ts'
import { costOf } from '../bench/geometry.ts'
import type { Job, TimeJob } from '../bench/job.ts'
import type { Options } from '../bench/options.ts'
import { PRICED } from '../bench/priced.ts'
import type { Line, Results } from '../bench/result.ts'
import { type Hands, runRounds } from '../bench/rounds.ts'
import { SHAPES } from '../bench/shapes.ts'
import { roundOf } from '../bench/stats.ts'
import './support/replay.ts'

const shapeNamed = (name: string): Shape => SHAPES.find(shape => shape.name === name)!

interface Run {
  results: Results
  /** 'shape contender threads' of every child that was timed, round by round. */
  timed: string[]
}

/** Runs as a machine would on which every contender reaches its GFLOP/s; `fail` names what is lost. */
async function runWith(
  gflops: Record<string, number>,
  wish: Partial<Options>,
  fail: (job: TimeJob, count: number) => boolean = () => false,
): Promise<Run> {
  const timed: string[] = []
  const hands: Hands = {
    progress: () => {},
    stopped: () => false,
    run: async <Answer>(job: Job) => {
      if (job.kind !== 'time') return { answer: { value: 100 } as Answer }
      timed.push(`${job.shape.name} ${job.contender} ${job.threads}`)
      if (fail(job, timed.length)) return { failure: 'killed by SIGKILL' }
      const { flops, bytes } = costOf(job.shape)
      const round = roundOf([flops / gflops[job.contender] / 1e6])
      const verdict = { maxAbs: 0, relL2: 0, rows: 1, allRows: 1 }
      const plain = job.plain && { plain: { how: 'plainly', round, relative: 1 } }
      return { answer: { outcome: 'timed', how: 'so', verdict, round, flops, bytes, ...plain } as Answer }
    },
  }
  const results = {
    limits: { peaks: [], bandwidths: [] },
    shapes: [],
    lines: [] as Line[],
  } as unknown as Results
  const options: Options = {
    shapes: [],
    sweeps: [],
    priced: [],
    contenders: Object.keys(gflops),
    peers: '',
    threads: [1],
    rounds: 3,
    milliseconds: 1,
    patience: 3,
    publish: false,
    ...wish,
  }
  await runRounds(options, options.contenders, results, [0, 1], hands)
  return { results, timed }
}

describe('rounds', () => {
  test('begin with another contender each, and go through all shapes', async () => {
    const { timed } = await runWith({ a: 50, b: 50 }, { shapes: [shapeNamed('tiny'), shapeNamed('vit-197')] })
    expect(timed).toEqual([
      ...['tiny a 1', 'tiny b 1', 'vit-197 a 1', 'vit-197 b 1'],
      ...['tiny b 1', 'tiny a 1', 'vit-197 b 1', 'vit-197 a 1'],
      ...['tiny a 1', 'tiny b 1', 'vit-197 a 1', 'vit-197 b 1'],
    ])
  })

  test('repeat neither what is slow nor the sweeps, and of options only our own', async () => {
    const { results, timed } = await runWith(
      { 'native-avx2': 100, rival: 50, slow: 1.5 },
      { shapes: [shapeNamed('bert-512')], sweeps: ['threads'], priced: [PRICED[0]] },
    )
    const times = (name: string): number => timed.filter(text => text === name).length
    expect(times('bert-512 native-avx2 1')).toBe(3)
    expect(times('bert-512 slow 1')).toBe(1)
    expect(times('bert-512 native-avx2 2')).toBe(1)
    expect(times('option-causal native-avx2 1')).toBe(3)
    expect(times('option-causal rival 1')).toBe(1)
    const price = results.lines.find(
      ({ group, contender }) => group === 'options' && contender === 'native-avx2',
    )
    expect(price!.plain).toHaveLength(3)
  })

  test('lose one line where a child is lost, in whichever round', async () => {
    const { results } = await runWith({ a: 50, b: 50 }, { shapes: [shapeNamed('tiny')] }, (_, n) => n === 3)
    expect(
      results.lines.map(({ contender, outcome, rounds }) => [contender, outcome, rounds.length]),
    ).toEqual([
      ['a', 'timed', 3],
      ['b', 'failed', 0],
    ])
  })
})

describe('patience', () => {
  const llama = shapeNamed('llama-2048')

  test('is asked by a short pilot where nothing is known of a contender', async () => {
    const { results, timed } = await runWith({ quick: 50, slow: 1 }, { shapes: [llama], rounds: 1 })
    expect(timed).toEqual(['pilot quick 1', 'llama-2048 quick 1', 'pilot slow 1'])
    expect(results.lines[1]).toMatchObject({
      outcome: 'cannot',
      reason: 'left out: about 35 s a run (--patience 35 measures it)',
    })
    expect(results.shapes).toEqual([llama])
  })

  test('needs no pilot after another shape, nor for what takes no time', async () => {
    const { timed } = await runWith({ slow: 1 }, { shapes: [shapeNamed('bert-512'), llama], rounds: 1 })
    expect(timed).toEqual(['bert-512 slow 1'])
  })

  test('measures what is asked for', async () => {
    const { timed } = await runWith({ slow: 1 }, { shapes: [llama], rounds: 1, patience: 35 })
    expect(timed).toEqual(['llama-2048 slow 1'])
  })
})
