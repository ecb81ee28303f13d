/**
 * Speed over how much arithmetic there is for each byte, under what the machine allows.
 * @module
 */
import * as Plot from '@observablehq/plot'
import { size } from '../machine.ts'
import type { Limits, Results } from '../result.ts'
import { rangeOf, tick, ticksIn } from './axis.ts'
import { type Chart, draw, type Key, WIDTH } from './canvas.ts'
import type { Colours } from './colours.ts'
import { placeLabels } from './labels.ts'
import { fastestOf, type Row, sectionsOf } from './view.ts'

interface Dot {
  shape: string
  intensity: number
  gflops: number
}

/** A slope of reading from memory of up to so many bytes. */
interface Level {
  bytes: number
  gbps: number
}

const HEIGHT = 460
const MARGIN = { left: 60, right: 28, top: 24, bottom: 44 }

export function rooflineChart(results: Results, colours: Colours): Chart | undefined {
  const peak = Math.max(
    ...results.limits.peaks.filter(({ threads }) => threads === 1).map(({ gflops }) => gflops),
  )
  const levels = levelsOf(results.limits)
  const sections = sectionsOf(results, 'shapes').filter(({ threads }) => threads === 1)
  const ours = sections.flatMap(section => dotOf(fastestOf(section, true)))
  const theirs = sections.flatMap(section => dotOf(fastestOf(section, false)))
  if (!Number.isFinite(peak) || levels.length === 0 || ours.length === 0) return undefined
  const dots = [...theirs, ...ours]
  const xs = rangeOf(dots.map(({ intensity }) => intensity))
  const slowest = levels[levels.length - 1].gbps
  const ys = rangeOf([peak, Math.min(peak, xs[0] * slowest), ...dots.map(({ gflops }) => gflops)])
  const colour = { own: 'var(--native)', peer: 'var(--ort-node)', limit: 'var(--faint)' }
  const options: Plot.PlotOptions = {
    height: HEIGHT,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    x: {
      type: 'log',
      domain: xs,
      label: 'FLOP for each byte of q, k, v and output (logarithmic)',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: ticksIn(xs),
      tickFormat: tick,
      grid: true,
    },
    y: {
      type: 'log',
      domain: ys,
      label: 'GFLOP/s, one thread (logarithmic)',
      labelArrow: 'none',
      ticks: ticksIn(ys),
      tickFormat: tick,
      grid: true,
    },
    marks: [
      ...roofs(peak, levels, xs, colour.limit),
      Plot.link(pairs(ours, theirs), {
        x: 'intensity',
        y1: 'gflops',
        y2: 'other',
        stroke: 'var(--faint)',
        strokeOpacity: 0.5,
        strokeWidth: 2,
      }),
      Plot.dot(theirs, { x: 'intensity', y: 'gflops', r: 4.5, fill: colour.peer, stroke: 'var(--paper)' }),
      Plot.dot(ours, { x: 'intensity', y: 'gflops', r: 5.5, fill: colour.own, stroke: 'var(--paper)' }),
      ...labels(ours, theirs, xs, ys),
    ],
  }
  const keys: Key[] = [
    { label: 'fastest of selfsame', colour: colour.own, form: 'dot' },
    ...(theirs.length > 0 ? [{ label: 'fastest peer', colour: colour.peer, form: 'dot' } as const] : []),
    { label: 'limits measured in this run', colour: colour.limit, form: 'line' },
  ]
  return draw(
    {
      name: 'roofline',
      title: 'Roofline',
      caption:
        'Under the flat roof arithmetic is the limit, under the slopes reading is: the shorter the way to the line above, the less is left to gain. Which slope counts depends on the cache that the inputs fit into.',
    },
    options,
    keys,
    colours,
  )
}

function dotOf(row: Row | undefined): Dot[] {
  if (!row?.timed) return []
  return [{ shape: row.line.shape, intensity: row.line.flops! / row.line.bytes!, gflops: row.timed.gflops }]
}

function pairs(ours: readonly Dot[], theirs: readonly Dot[]): (Dot & { other: number })[] {
  return ours.flatMap(dot => {
    const other = theirs.find(({ shape }) => shape === dot.shape)
    return other ? [{ ...dot, other: other.gflops }] : []
  })
}

/** Dots on the line from one to the other, so close that no name fits between them. */
function alongLine({ other, ...dot }: Dot & { other: number }): Dot[] {
  const parts = Array.from({ length: 33 }, (_, i) => i / 32)
  return parts.map(part => ({ ...dot, gflops: dot.gflops ** (1 - part) * other ** part }))
}

/** Sizes that read at about the same speed are one level, named by its largest. */
function levelsOf({ bandwidths }: Limits): Level[] {
  const levels: (Level & { first: number })[] = []
  for (const { bytes, gbps, threads } of [...bandwidths].sort((a, b) => a.bytes - b.bytes)) {
    if (threads !== 1) continue
    const last = levels[levels.length - 1]
    if (last && gbps > 0.7 * last.first) last.bytes = bytes
    else levels.push({ bytes, gbps, first: gbps })
  }
  return levels
}

function roofs(
  peak: number,
  levels: readonly Level[],
  [low, high]: readonly [number, number],
  stroke: string,
): Plot.Markish[] {
  // A level so fast that its slope ends left of everything is the flat roof.
  const slopes = levels.filter(({ gbps }) => low * gbps < 0.8 * peak)
  const lines = slopes.map(({ gbps }) => [
    { x: low, y: low * gbps },
    { x: peak / gbps, y: peak },
  ])
  const corner = Math.min(high, ...slopes.map(({ gbps }) => peak / gbps))
  const flat = [
    { x: slopes.length > 0 ? corner : low, y: peak },
    { x: high, y: peak },
  ]
  // Most of the way up, where dots seldom are.
  const along = 0.62
  const words = slopes.map(({ bytes, gbps }) => ({
    x: low ** (1 - along) * (peak / gbps) ** along,
    y: (low * gbps) ** (1 - along) * peak ** along,
    text: `${gbps.toFixed(0)} GB/s, up to ${size(bytes)}`,
  }))
  const style = { x: 'x', y: 'y', fill: stroke, fontSize: 11 } as const
  return [
    ...[...lines, flat].map(line => Plot.line(line, { x: 'x', y: 'y', stroke, strokeWidth: 1.5 })),
    Plot.text(words, { ...style, text: 'text', dx: 9, dy: 6, textAnchor: 'start' }),
    Plot.text([flat[1]], {
      ...style,
      text: () => `peak ${peak.toFixed(0)} GFLOP/s`,
      dy: -9,
      textAnchor: 'end',
    }),
  ]
}

/** Where dots come to lie is the same arithmetic as that of Plot's scales. */
function labels(
  ours: readonly Dot[],
  theirs: readonly Dot[],
  xs: readonly [number, number],
  ys: readonly [number, number],
): Plot.Markish[] {
  const part = (value: number, [low, high]: readonly [number, number]): number =>
    Math.log(value / low) / Math.log(high / low)
  const width = WIDTH - MARGIN.left - MARGIN.right
  const height = HEIGHT - MARGIN.top - MARGIN.bottom
  const at = ({ intensity, gflops }: Dot): { x: number; y: number } => ({
    x: part(intensity, xs) * width,
    y: (1 - part(gflops, ys)) * height,
  })
  const places = placeLabels(
    ours.map(dot => ({ ...at(dot), text: dot.shape })),
    [...theirs, ...ours, ...pairs(ours, theirs).flatMap(alongLine)].map(at),
    width,
  )
  return ours.map((dot, i) =>
    Plot.text([dot], {
      x: 'intensity',
      y: 'gflops',
      text: 'shape',
      dx: places[i].dx,
      dy: places[i].dy,
      textAnchor: places[i].anchor,
      fill: 'var(--ink)',
      fontSize: 11,
    }),
  )
}
