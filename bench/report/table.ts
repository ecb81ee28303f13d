/**
 * The report as a terminal shows it, in 100 columns.
 * @module
 */

import { wrap } from '../../src/cli/terminal.ts'
import { type Palette, paint } from '../../src/explain/palette.ts'
import type { Results } from '../result.ts'
import { COLUMNS, figuresOf, isSlower, TO_PEER } from './columns.ts'
import { digits } from './figures.ts'
import { PRICE_MEANING, pricesOf, reasonsOf } from './prices.ts'
import { type Row, type Section, sectionsOf } from './view.ts'
import { limitFacts, limitWords, machineFacts, onThreads, reasonOf, standingWords, titleOf } from './words.ts'

const WIDTH = 100
const RED = { rgb: [205, 60, 50], xterm: 167 } as const
const GREEN = { rgb: [60, 150, 80], xterm: 71 } as const

const NAME = 16
const CELL = 9

export function tableOf(results: Results, palette: Palette): string {
  const bold = (text: string): string => paint(palette, text, { bold: true })
  const dim = (text: string): string => paint(palette, text, { dim: true })
  const shapes = sectionsOf(results, 'shapes')
  const lines: string[] = [
    '',
    ...facts([...machineFacts(results), ...limitFacts(results)]),
    ...shapes.flatMap(section => sectionLines(section, palette)),
    ...sequenceLines(results, bold, dim),
    ...threadLines(results, bold, dim),
    ...priceLines(results, bold, dim),
    '',
    ...standingWords(shapes).flatMap((text, i) =>
      wrap(text, WIDTH, 2).map(line => (i === 0 ? bold(line) : `  ${line}`)),
    ),
    ...results.absent.map(({ contender, reason }) => dim(cut(`not here: ${contender}: ${reason}`))),
    ...(results.interrupted ? ['', bold('Ended early: what is missing was not measured.')] : []),
    '',
  ]
  return `${lines.join('\n')}\n`
}

function facts(all: readonly [string, string][]): string[] {
  const indent = Math.max(...all.map(([name]) => name.length)) + 2
  return all.flatMap(([name, text]) =>
    wrap(text, WIDTH - indent).map((line, i) => (i === 0 ? name : '').padEnd(indent) + line),
  )
}

function sectionLines(section: Section, palette: Palette): string[] {
  const { name, dims, note, cost } = titleOf(section)
  const limit = limitWords(section)
  const rest = cut(`${name}  ${dims}  ${note}`).slice(name.length)
  const title = paint(palette, name, { bold: true }) + rest
  const head = `  ${'contender'.padEnd(NAME)}${COLUMNS.map(column => column.padStart(CELL)).join('')}`
  return [
    '',
    title,
    paint(palette, `  ${cost}${limit ? `; ${limit}` : ''}`, { dim: true }),
    paint(palette, head, { dim: true }),
    ...section.rows.map((row, i) => rowLine(row, i === 0, palette)),
  ]
}

function rowLine({ line, own, timed }: Row, first: boolean, palette: Palette): string {
  const name = line.contender.padEnd(NAME)
  if (!timed) {
    const text = cut(`  ${name} ${reasonOf(line)}`)
    const look = line.outcome === 'cannot' ? { dim: true } : { text: RED }
    return paint(palette, text, look)
  }
  const cells = figuresOf(timed, line).map(cell => cell.padStart(CELL))
  if (isSlower(own, timed)) cells[TO_PEER] = paint(palette, cells[TO_PEER], { text: RED })
  const marked = `${first ? '*' : ' '} ${name}`
  const label = first ? paint(palette, marked, { bold: true, text: GREEN }) : marked
  return label + cells.join('')
}

/** Milliseconds by length. */
function sequenceLines(
  results: Results,
  bold: (text: string) => string,
  dim: (text: string) => string,
): string[] {
  const sections = sectionsOf(results, 'sequence')
  if (sections.length === 0) return []
  const names = [...new Set(sections.flatMap(({ rows }) => rows.map(({ line }) => line.contender)))]
  const cell = (text: string): string => text.padStart(CELL + 1)
  return [
    '',
    `${bold('sequence length')}  milliseconds, 2 heads of 64; rnn-scan: h = tanh(W h + U x) of the same width`,
    dim(`  ${'tokens'.padEnd(NAME)}${sections.map(({ shape }) => cell(String(shape.queries))).join('')}`),
    ...names.map(name => {
      const cells = sections.map(({ rows }) => {
        const row = rows.find(({ line }) => line.contender === name)
        return cell(row?.timed ? digits(row.timed.median) : (row?.line.outcome ?? '-').replace('cannot', '-'))
      })
      return `  ${name.padEnd(NAME)}${cells.join('')}`
    }),
  ]
}

/** GFLOP/s by threads; one thread is in the tables of the shapes. */
function threadLines(
  results: Results,
  bold: (text: string) => string,
  dim: (text: string) => string,
): string[] {
  const sections = sectionsOf(results, 'threads')
  return sections.flatMap(section => {
    const rows = section.rows.filter(({ timed }) => timed)
    if (rows.length === 0) return []
    return [
      '',
      `${bold(section.shape.name)}${onThreads(section.threads)}`,
      dim(`  ${'contender'.padEnd(NAME)}${COLUMNS.map(column => column.padStart(CELL)).join('')}`),
      ...rows.map((row, i) => rowLine(row, i === 0, 'none')),
    ]
  })
}

/** Speed with each option, the call without it being 1. */
function priceLines(
  results: Results,
  bold: (text: string) => string,
  dim: (text: string) => string,
): string[] {
  const table = pricesOf(results)
  const { contenders, prices } = table
  if (prices.length === 0) return []
  const widths = contenders.map(name => Math.max(CELL, name.length + 2))
  const inColumns = (texts: readonly string[]): string =>
    texts.map((text, i) => text.padStart(widths[i])).join('')
  return [
    '',
    ...wrap(`options  ${PRICE_MEANING}`, WIDTH, 2).map((line, i) =>
      i === 0 ? line.replace('options', bold('options')) : line,
    ),
    dim(`  ${'option'.padEnd(10)}${'kept'.padStart(6)}${inColumns(contenders)}`),
    ...prices.map(({ option, kept, cells }) => {
      const texts = cells.map(cell => ('relative' in cell ? cell.relative.toFixed(2) : cell.word))
      return `  ${option.padEnd(10)}${kept.padStart(6)}${inColumns(texts)}`
    }),
    ...reasonsOf(table).map(reason => dim(cut(`  ${reason}`))),
  ]
}

function cut(text: string): string {
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`
}
