/**
 * The pictures of a run.
 * @module
 */
import * as Plot from '@observablehq/plot'
import type { Results } from '../result.ts'
import { rangeOf, tick, ticksIn } from './axis.ts'
import { type Chart, draw, type Key } from './canvas.ts'
import { type Colours, coloursFor } from './colours.ts'
import { rooflineChart } from './roofline.ts'
import { type Row, sectionsOf, type Timing } from './view.ts'

/** One dot or corner of a line. */
interface Mark {
  contender: string
  shape: string
  own: boolean
  timed: Timing
}

/** Those that have something to show. */
export function chartsOf(results: Results): Chart[] {
  const colours = coloursFor([...new Set(results.lines.map(({ contender }) => contender))])
  const charts = [
    shapesChart(results, colours),
    sequenceChart(results, colours),
    threadsChart(results, colours),
    rooflineChart(results, colours),
  ]
  return charts.filter(chart => chart !== undefined)
}

/** The best native and the best WASM backend, and all peers: the others are in the tables. */
export function inPicture(results: Results): (row: Row) => boolean {
  const first = (family: string): string | undefined =>
    results.lines.find(({ contender, outcome }) => outcome === 'timed' && contender.startsWith(family))
      ?.contender
  const ours = [first('native-'), first('wasm-')]
  return ({ own, timed, line: { contender } }) => timed !== undefined && (!own || ours.includes(contender))
}

/** On so many threads as the first line has; a picture shows one number of them. */
function marksOf(results: Results, group: 'shapes' | 'sequence'): Mark[] {
  const shown = inPicture(results)
  const sections = sectionsOf(results, group).filter(({ threads }) => threads === results.lines[0].threads)
  return sections.flatMap(({ shape, rows }) =>
    rows.filter(shown).map(({ line, own, timed }) => ({
      contender: line.contender,
      shape: shape.name,
      own,
      timed: timed!,
    })),
  )
}

/** In the order in which contenders were measured: ours first. */
function keysOf(
  marks: readonly { contender: string }[],
  results: Results,
  colours: Colours,
  form: Key['form'],
): Key[] {
  const names = new Set(results.lines.map(({ contender }) => contender))
  const shown = [...names].filter(name => marks.some(({ contender }) => contender === name))
  return shown.map(label => ({
    label,
    colour: colours.of(label),
    form: label === 'rnn-scan' ? 'dash' : form,
  }))
}

function shapesChart(results: Results, colours: Colours): Chart | undefined {
  const marks = marksOf(results, 'shapes').filter(({ timed }) => timed.gflops > 0)
  if (marks.length === 0) return undefined
  const threads = results.lines[0].threads === 1 ? 'one thread' : `${results.lines[0].threads} threads`
  const names = [...new Set(marks.map(({ shape }) => shape))]
  const limits = names.flatMap(shape => {
    const known = marks.flatMap(({ shape: name, timed }) =>
      name === shape && timed.limit ? [timed.limit.gflops] : [],
    )
    return known.length > 0 ? [{ shape, gflops: Math.max(...known) }] : []
  })
  const range = rangeOf([...marks.map(({ timed }) => timed.gflops), ...limits.map(({ gflops }) => gflops)])
  const ends = names.map(shape => {
    const rates = marks.filter(mark => mark.shape === shape).map(({ timed }) => timed.gflops)
    return { shape, low: Math.min(...rates), high: Math.max(...rates) }
  })
  const options: Plot.PlotOptions = {
    height: 60 + names.length * 32,
    marginLeft: 120,
    marginBottom: 42,
    x: {
      type: 'log',
      label: `GFLOP/s, ${threads} (logarithmic)`,
      labelAnchor: 'center',
      labelArrow: 'none',
      domain: range,
      ticks: ticksIn(range),
      tickFormat: tick,
      grid: true,
    },
    y: { label: null, domain: names, tickSize: 0 },
    marks: [
      Plot.link(ends, { x1: 'low', x2: 'high', y: 'shape', stroke: 'var(--line)', strokeWidth: 3 }),
      Plot.tickX(limits, { x: 'gflops', y: 'shape', stroke: 'var(--faint)', strokeWidth: 2.5, inset: 7 }),
      Plot.dot(marks, {
        x: (mark: Mark) => mark.timed.gflops,
        y: 'shape',
        r: (mark: Mark) => (mark.own ? 6 : 5),
        fill: (mark: Mark) => colours.of(mark.contender),
        stroke: 'var(--paper)',
        strokeWidth: 1,
        sort: 'own',
      }),
    ],
    r: { type: 'identity' },
    color: { type: 'identity' },
  }
  const keys = keysOf(marks, results, colours, 'dot')
  if (limits.length > 0) keys.push({ label: 'limit of the machine', colour: 'var(--faint)', form: 'tick' })
  return draw(
    {
      name: 'shapes',
      title: 'Speed by shape',
      caption: `Median of all rounds on ${threads}; further right is faster. The grey mark is what the machine could do: its peak of multiply-adds, or of reading where that is the tighter limit.`,
    },
    options,
    keys,
    colours,
  )
}

function sequenceChart(results: Results, colours: Colours): Chart | undefined {
  const sections = sectionsOf(results, 'sequence')
  const length = new Map(sections.map(({ shape }) => [shape.name, shape.queries]))
  const marks = marksOf(results, 'sequence')
  if (marks.length === 0) return undefined
  const x = (mark: Mark): number => length.get(mark.shape)!
  const y = (mark: Mark): number => mark.timed.median
  const stroke = (mark: Mark): string => colours.of(mark.contender)
  const range = rangeOf(marks.map(y))
  const scan = (mark: Mark): boolean => mark.contender === 'rnn-scan'
  const options: Plot.PlotOptions = {
    height: 430,
    marginLeft: 70,
    marginRight: 28,
    marginBottom: 44,
    x: {
      type: 'log',
      base: 2,
      label: 'tokens (logarithmic)',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: [...length.values()],
      tickFormat: (value: number) => String(value),
      grid: true,
    },
    y: {
      type: 'log',
      label: 'milliseconds (logarithmic)',
      labelArrow: 'none',
      domain: range,
      ticks: ticksIn(range),
      tickFormat: tick,
      grid: true,
    },
    color: { type: 'identity' },
    marks: [
      Plot.line(
        marks.filter(mark => !scan(mark)),
        { x, y, z: 'contender', stroke, strokeWidth: 2 },
      ),
      Plot.line(marks.filter(scan), { x, y, z: 'contender', stroke, strokeWidth: 2, strokeDasharray: '4 3' }),
      Plot.dot(marks, { x, y, r: 3.5, fill: stroke, stroke: 'var(--paper)', strokeWidth: 1 }),
    ],
  }
  return draw(
    {
      name: 'sequence',
      title: 'What a longer input costs',
      caption:
        'Self-attention compares every token with every other: four times the work for twice the tokens, all of it at once. Dashed beside it the scan of a plain RNN of the same width (128), h = tanh(W h + U x) in plain JavaScript: its work only doubles, but step after step, where no vector, core or cache can help. Compare it with plain-loop, attention in the same language, for the algorithms alone.',
    },
    options,
    keysOf(marks, results, colours, 'line'),
    colours,
  )
}

function threadsChart(results: Results, colours: Colours): Chart | undefined {
  const sweep = new Set(results.lines.filter(({ group }) => group === 'threads').map(({ shape }) => shape))
  const shown = inPicture(results)
  const marks = [...sectionsOf(results, 'shapes'), ...sectionsOf(results, 'threads')].flatMap(
    ({ shape, threads, rows }) =>
      sweep.has(shape.name)
        ? rows
            .filter(row => shown(row))
            .map(({ line, timed }) => ({
              shape: shape.name,
              threads,
              contender: line.contender,
              gflops: timed!.gflops,
            }))
        : [],
  )
  type Corner = (typeof marks)[number]
  const threaded = new Set(marks.filter(({ threads }) => threads > 1).map(({ contender }) => contender))
  const corners = marks.filter(({ contender }) => threaded.has(contender))
  const counts = [...new Set(corners.map(({ threads }) => threads))].sort((a, b) => a - b)
  if (counts.length < 2) return undefined
  const stroke = (corner: Corner): string => colours.of(corner.contender)
  const options: Plot.PlotOptions = {
    height: 330,
    marginLeft: 56,
    marginBottom: 44,
    marginTop: 34,
    fx: { label: null, padding: 0.12, domain: [...new Set(corners.map(({ shape }) => shape))] },
    x: {
      label: 'threads',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: counts,
      tickFormat: String,
      inset: 14,
    },
    y: { label: 'GFLOP/s', labelArrow: 'none', grid: true, zero: true, nice: true },
    color: { type: 'identity' },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--line)' }),
      Plot.line(corners, {
        fx: 'shape',
        x: 'threads',
        y: 'gflops',
        z: 'contender',
        stroke,
        strokeWidth: 2,
        sort: 'threads',
      }),
      Plot.dot(corners, {
        fx: 'shape',
        x: 'threads',
        y: 'gflops',
        r: 4,
        fill: stroke,
        stroke: 'var(--paper)',
      }),
    ],
  }
  return draw(
    {
      name: 'threads',
      title: 'What more threads bring',
      caption:
        'Cores are pinned where the system can. Twice the threads at best give twice the speed; the steeper, the closer to that.',
    },
    options,
    keysOf(corners, results, colours, 'line'),
    colours,
  )
}
