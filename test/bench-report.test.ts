/**
 * The report of the bench: the same figures in every form of it, and nothing in the repository that was typed.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Shape } from '../bench/contender.ts'
import { costOf } from '../bench/geometry.ts'
import { chartsOf } from '../bench/report/charts.ts'
import { markdownOf } from '../bench/report/markdown.ts'
import { pageOf } from '../bench/report/page.ts'
import { withTable } from '../bench/report/readme.ts'
import { tableOf } from '../bench/report/table.ts'
import { type Line, type Results, readResults } from '../bench/result.ts'
import { shapeOf } from '../bench/shapes.ts'
import { roundOf } from '../bench/stats.ts'
import './support/replay.ts'

const TINY = shapeOf({ name: 'tiny', heads: 2, queries: 16, headDim: 64, note: 'a <short> sentence' })
const LATE = shapeOf({ name: 'late', heads: 2, queries: 1, keys: 99, headDim: 64, note: 'one | token' })
const WINDOW = shapeOf({
  ...TINY,
  name: 'option-window',
  causal: 'top-left',
  options: { window: { left: 3, right: 0 } },
})

function timed(contender: string, shape: Shape, ms: number, more: Partial<Line> = {}): Line {
  const { flops, bytes } = costOf(shape)
  const verdict = { maxAbs: 2.5e-7, relL2: 1e-7, rows: 4, allRows: 8 }
  const rounds = [roundOf([ms, ms]), roundOf([ms, ms])]
  const how = `${contender} so`
  return {
    group: 'shapes',
    contender,
    shape: shape.name,
    threads: 1,
    outcome: 'timed',
    how,
    verdict,
    flops,
    bytes,
    rounds,
    ...more,
  }
}

const price = (relative: number) => ({ how: 'plain', round: roundOf([1]), relative })

const RESULTS: Results = {
  format: 1,
  command: 'npm run bench -- --publish',
  machine: {
    cpu: 'CPU "X" & Y',
    isa: ['avx2'],
    caches: ['L1 32 KiB'],
    cores: 2,
    pinned: true,
    memory: '8 GiB',
    os: 'linux',
    node: 'v20.0.0',
    v8: '11',
    versions: { selfsame: '0.1.0' },
    date: '2026-11-24T00:00:00.000Z',
  },
  rounds: 2,
  limits: {
    peaks: [{ isa: 'avx2', threads: 1, gflops: 50 }],
    bandwidths: [{ bytes: 2 ** 14, threads: 1, gbps: 100 }],
  },
  shapes: [TINY, LATE, WINDOW],
  own: ['native-avx2', 'wasm-simd'],
  absent: [{ contender: 'torch', reason: 'no PyTorch' }],
  lines: [
    timed('native-avx2', TINY, 0.25),
    timed('wasm-simd', TINY, 1),
    timed('rival', TINY, 0.5),
    timed('native-avx2', LATE, 3),
    timed('rival', LATE, 1.5),
    { ...timed('liar', LATE, 1), outcome: 'wrong', reason: 'max abs 1.0e-2', rounds: [] },
    timed('native-avx2', WINDOW, 0.125, { group: 'options', plain: [price(0.9), price(0.8), price(0.97)] }),
    {
      ...timed('rival', WINDOW, 1),
      group: 'options',
      outcome: 'cannot',
      reason: 'has no window',
      rounds: [],
    },
  ],
  interrupted: false,
}

describe('a report', () => {
  const charts = chartsOf(RESULTS)
  const terminal = tableOf(RESULTS, 'none')
  const markdown = markdownOf(RESULTS, charts, 'results')
  const page = pageOf(RESULTS, charts)
  const readme = withTable('above\n<!-- bench:start -->\nOUTDATED\n<!-- bench:end -->\nbelow\n', RESULTS)

  test('says how fast, how far off and how far from the limit', () => {
    // 2 heads of 16 x 16 pairs, 4 x 64 FLOP for each, in a quarter of a millisecond; a limit of 50 GFLOP/s.
    expect(terminal).toMatch(
      /^\* native-avx2 +0\.250 +0\.250 +0\.0 % +0\.524 +0\.131 +1\.0 % +2\.00x +2\.5e-7 +1\.0e-7$/m,
    )
    expect(markdown).toContain(
      '| **native-avx2** | 0.250 | 0.250 | 0.0 % | 0.524 | 0.131 | 1.0 % | 2.00x | 2.5e-7 | 1.0e-7 | native-avx2 so; 4 of 8 rows checked |',
    )
    expect(page).toContain('<td>2.00x</td><td>2.5e-7</td>')
  })

  test('shows losses and wrong results as plainly as wins', () => {
    const lost = 'late: rival takes 1.50 ms, native-avx2 3.00 ms (2.00x)'
    for (const text of [terminal, markdown, page, readme]) {
      expect(text).toContain('selfsame is fastest on 1 of 2 shapes, against rival, and slower on 1:')
      expect(text).toContain(lost)
    }
    for (const text of [terminal, markdown, page]) expect(text).toContain('WRONG: max abs 1.0e-2')
    for (const text of [terminal, markdown, page]) expect(text).toContain('no PyTorch')
  })

  test('says what options cost, by the middle of all rounds', () => {
    // 3 of 16 rows see 1, 2 and 3 keys, the others 4: 58 of 256.
    expect(terminal).toMatch(/^ {2}window +23 % +0\.90 +-$/m)
    expect(markdown).toMatch(/^\| window \|.*\| 23 % \| 0\.90 \(0\.125\) \| - \|$/m)
    expect(page).toContain('<td>23 %</td><td>0.90 <small>0.125</small></td>')
    for (const text of [terminal, markdown]) expect(text).toContain('window, rival: has no window')
  })

  test('has the shapes in short for the README, the fastest in bold', () => {
    expect(readme).toMatch(/^above\n<!-- bench:start -->\n/)
    expect(readme).toMatch(/\n<!-- bench:end -->\nbelow\n$/)
    expect(readme).not.toContain('OUTDATED')
    expect(readme).toContain('| shape | selfsame native | selfsame wasm | rival | liar | to best peer |')
    expect(readme).toContain('| tiny `[1, 2, 16, 64]` | **0.250** | 1.00 | 0.500 | - | 2.00x |')
    expect(readme).toContain('| late `[1, 2, 1, 64], 99 keys` | 3.00 | - | **1.50** | wrong | 0.50x |')
    expect(readme).toContain('| largest error | 2.5e-7 | 2.5e-7 | 2.5e-7 | - | |')
    expect(() => withTable('no place', RESULTS)).toThrow(/README\.md: expected <!-- bench:start -->/)
  })

  test('is whole: nothing is fetched, and no text breaks the markup', () => {
    expect(page).not.toMatch(/(src|href)="?http/)
    expect(page).toContain('CPU &quot;X&quot; &amp; Y')
    expect(page).toContain('a &lt;short&gt; sentence')
    expect(charts.map(({ name }) => name)).toEqual(['shapes', 'roofline'])
    for (const { svg } of charts) {
      expect(page).toContain(svg)
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*viewBox=/)
      expect(svg).not.toContain('NaN')
    }
  })
})

const published = new URL('../bench/results/results.json', import.meta.url)
test.skipIf(!existsSync(published))('what is published comes from its figures', () => {
  const results = readResults(published.pathname)
  const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  const charts = chartsOf(results)
  expect(read('bench/RESULTS.md')).toBe(markdownOf(results, charts, 'results'))
  expect(withTable(read('README.md'), results)).toBe(read('README.md'))
  for (const { name } of charts) expect(read(`bench/results/${name}.svg`)).toContain('<svg')
})
