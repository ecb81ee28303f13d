/**
 * A head's weights as a heat map for a terminal: rows look, columns are looked at.
 * @module
 */
import type { HeadMap } from './head.ts'
import { type Palette, paint } from './palette.ts'
import { shadedCell } from './shade.ts'

export interface HeatmapOptions {
  readonly palette: Palette
  /** Columns of the terminal; the map stays within them down to one column per token. */
  readonly width: number
  /** Rows to show, by place; default all. */
  readonly rows?: readonly number[]
  /** Row to point at, by place. */
  readonly mark?: number
}

const WIDEST_CELL = 5
/** Cells from here on have room for a percentage. */
const NUMBER_CELL = 3
/** Weights below this get no number: the shade says enough. */
const LEAST_NUMBER = 0.045

/** Lines of the map: column labels, then one line per row. */
export function heatmap(map: HeadMap, options: HeatmapOptions): string[] {
  const { tokens, weights } = map
  const margin = Math.max(...tokens.map(token => token.length)) + 3
  const cell = widestCell(tokens, options.width - margin)
  const rows = options.rows ?? tokens.map((_, i) => i)
  const lines = columnLabels(tokens, cell).map(line => (' '.repeat(margin) + line).trimEnd())
  for (const row of rows) {
    const label = `${row === options.mark ? '>' : ' '} ${tokens[row].padStart(margin - 3)} `
    const cells = tokens.map((_, column) => {
      const weight = weights[row * tokens.length + column]
      return shadedCell(weight, cell >= NUMBER_CELL ? percent(weight) : '', cell, options.palette)
    })
    lines.push((paint(options.palette, label, { bold: row === options.mark }) + cells.join('')).trimEnd())
  }
  return lines
}

/** Columns per token, such that the cells and the last labels end within `room`; at least one. */
function widestCell(tokens: readonly string[], room: number): number {
  const extent = (cell: number): number =>
    Math.max(...tokens.map((token, i) => i * cell + Math.max(cell, token.length)))
  let cell = WIDEST_CELL
  while (cell > 1 && extent(cell) > room) cell--
  return cell
}

/** Labels wider than their cells take turns on several lines; each starts where its column does. */
function columnLabels(tokens: readonly string[], cell: number): string[] {
  const longest = Math.max(...tokens.map(token => token.length))
  const count = Math.min(tokens.length, Math.ceil((longest + 1) / cell))
  return Array.from({ length: count }, (_, line) =>
    tokens.map((token, i) => (i % count === line ? token.padEnd(cell * count) : '')).join(''),
  ).map((text, line) => ' '.repeat(cell * line) + text)
}

function percent(weight: number): string {
  return weight < LEAST_NUMBER ? '' : String(Math.round(weight * 100))
}
