/**
 * Options of a call in the bench: the oracle knows them, peers are held to them, and their price is that of
 * the scores which are kept.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { timeBeside } from '../bench/beside.ts'
import type { CallOptions, Contender, Shape, Work } from '../bench/contender.ts'
import { openContender } from '../bench/contenders.ts'
import { workOf } from '../bench/data.ts'
import { costOf, isKept } from '../bench/geometry.ts'
import type { TimeJob } from '../bench/job.ts'
import { PRICED } from '../bench/priced.ts'
import { shapeOf } from '../bench/shapes.ts'
import { verify } from '../bench/verify.ts'
import { fromFloat16, toFloat16 } from '../src/numeric/half.ts'
import './support/replay.ts'

const PEERS = new URL('../bench/peers/common/', import.meta.url)
const { wrongness }: { wrongness(work: Work, output: Float32Array): string | undefined } = await import(
  new URL('exact.mjs', PEERS).href
)
const {
  toHalf,
  fromHalf,
}: { toHalf(data: Float32Array): Uint16Array; fromHalf(bits: Uint16Array): Float32Array } = await import(
  new URL('half.mjs', PEERS).href
)

const SMALL = { heads: 3, queries: 40, headDim: 8, note: '' }
const WINDOW = { left: 5, right: 2 }
const ONES: [name: string, options: CallOptions][] = [
  ['float16', { float16: true }],
  ['softcap', { softcap: 2 }],
  ['bias', { bias: true }],
  ['alibi', { alibi: true }],
  ['window', { window: WINDOW }],
  ['keep', { keep: true }],
]
const all = Object.assign({}, ...ONES.map(([, options]) => options)) as CallOptions
const SHAPES: Shape[] = [
  ...ONES.map(([name, options]) => shapeOf({ ...SMALL, name, options })),
  shapeOf({
    ...SMALL,
    name: 'together',
    options: { ...all, float16: false },
  }),
  shapeOf({ ...SMALL, name: 'causal', causal: 'bottom-right', options: { ...all, float16: false } }),
]

async function attend(contender: Contender, work: Work): Promise<Float32Array> {
  const prepared = await contender.prepare(work)
  if (typeof prepared === 'string') throw new Error(prepared)
  await prepared.run()
  return prepared.output()
}

describe('an option', () => {
  test.each(SHAPES.map(shape => [shape.name, shape] as const))(
    '%s: backend, oracle and the check of the peers agree, and none of them forgets it',
    async (name, shape) => {
      const reference = await openContender('reference', '')
      const work = workOf(shape, 1)
      const output = await attend(reference, work)
      expect(verify(work, output)).toMatchObject({ wrong: undefined })
      expect(wrongness(work, output)).toBeUndefined()
      if (name === 'float16') return
      const { bias, slopes, keep, ...bare } = work
      const forgetful = await attend(reference, { ...bare, shape: { ...shape, options: undefined } })
      expect(verify(work, forgetful).wrong).toBeDefined()
      expect(wrongness(work, forgetful)).toBeDefined()
    },
  )

  test('costs what is kept of the scores', () => {
    const shape = shapeOf({
      ...SMALL,
      name: 'kept',
      causal: 'top-left',
      options: { keep: true, window: WINDOW },
    })
    let pairs = 0
    for (let i = 0; i < shape.queries; i++) {
      for (let j = 0; j < shape.keys; j++) if (isKept(i, j) && j <= i && j >= i - WINDOW.left) pairs++
    }
    expect(costOf(shape).pairs).toBe(pairs * shape.heads)
    expect(costOf({ ...shape, options: undefined }).pairs).toBe((40 * 41 * shape.heads) / 2)
    const half = costOf(shapeOf({ ...SMALL, name: 'half', options: { float16: true } }))
    expect(half.bytes * 2).toBe(costOf(shapeOf({ ...SMALL, name: 'full' })).bytes)
  })

  test('is unknown to the plain loop, which says so', async () => {
    const loop = await openContender('plain-loop', '')
    expect(await loop.prepare(workOf(SHAPES[0], 1))).toMatch(/knows no option/)
  })

  test('of each shape stands alone beside the call without it', () => {
    expect(PRICED.map(({ shape }) => shape.name)).toContain('option-window')
    for (const { shape, plain } of PRICED) {
      const { batch, heads, headDim, options, causal, keyLengths, cuSeqlens, cache } = shape
      expect(plain).toMatchObject({ batch, heads, headDim, causal: 'none' })
      expect([plain.options, plain.keyLengths, plain.cuSeqlens]).toEqual([undefined, undefined, undefined])
      expect([options, keyLengths, cuSeqlens, cache, causal !== 'none'].some(Boolean)).toBe(true)
      expect(costOf(shape).pairs).toBeLessThanOrEqual(costOf(plain).pairs)
    }
  })
})

describe('the price of an option', () => {
  const plain = shapeOf({ ...SMALL, name: 'plain' })
  const shape = shapeOf({ ...SMALL, name: 'option', causal: 'top-left' })
  const job: TimeJob = {
    kind: 'time',
    contender: '',
    peers: '',
    shape,
    threads: 1,
    milliseconds: 20,
    plain: { shape: plain },
  }

  /** Runs take so many milliseconds, whatever the work; the result is that of the reference. */
  function slow(ms: (work: Work) => number, spoil: (work: Work) => boolean = () => false): Contender {
    return {
      name: 'slow',
      available: async () => undefined,
      versions: async () => ({}),
      prepare: async work => {
        const output = await attend(await openContender('reference', ''), work)
        if (spoil(work)) output[0] += 1
        return { run() {}, output: () => output, how: 'slowly', times: async () => [ms(work) / 1000] }
      },
    }
  }

  test('is its time for each score, against that of the plain call', async () => {
    const timed = await timeBeside(
      slow(work => (work.shape.causal === 'none' ? 10 : 8)),
      job,
      job.plain!,
    )
    if (timed.outcome !== 'timed') throw new Error(timed.outcome)
    // 41 of 80 scores are kept, in 8 of 10 milliseconds.
    expect(timed.plain!.relative).toBeCloseTo((41 / 80) * (10 / 8))
    expect(timed.round.min).toBeCloseTo(8)
    expect(timed.plain!.round.min).toBeCloseTo(10)
  })

  test('is none where either call is wrong', async () => {
    const wrong = await timeBeside(
      slow(
        () => 1,
        work => work.shape.causal !== 'none',
      ),
      job,
      job.plain!,
    )
    expect(wrong).toMatchObject({ outcome: 'wrong' })
    const without = await timeBeside(
      slow(
        () => 1,
        work => work.shape.causal === 'none',
      ),
      job,
      job.plain!,
    )
    expect(without).toMatchObject({
      outcome: 'cannot',
      reason: expect.stringMatching(/^without the option: /),
    })
  })

  test('is measured on a backend', async () => {
    const timed = await timeBeside(await openContender('reference', ''), job, job.plain!)
    if (timed.outcome !== 'timed') throw new Error(timed.outcome)
    expect(timed.plain!.relative).toBeGreaterThan(0)
    expect(timed.round.samples).toBeGreaterThanOrEqual(5)
  })
})

test('float16 of the peers is that of the package, for every number that it holds', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i)
  const numbers = Float32Array.from(bits, fromFloat16)
  expect(fromHalf(bits)).toEqual(numbers)
  const finite = numbers.filter(Number.isFinite)
  // The sign of zero is nobody's business here.
  expect(toHalf(finite).map(half => half & (half === 0x8000 ? 0 : 0xffff))).toEqual(
    Uint16Array.from(finite, toFloat16).map(half => half & (half === 0x8000 ? 0 : 0xffff)),
  )
})
