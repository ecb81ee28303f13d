/**
 * From Plot to a file: a document to draw in, a legend, a ground, and colours for light and dark.
 * @module
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Colours } from './colours.ts'
import { escapeMarkup } from './markup.ts'

export interface Chart {
  /** Of its file, without the ending. */
  name: string
  title: string
  /** What is to be seen, and what the reader must know. */
  caption: string
  svg: string
}

export interface Key {
  label: string
  colour: string
  form: 'dot' | 'line' | 'dash' | 'tick'
}

export const WIDTH = 820
const KEY_HEIGHT = 22
const LETTER = 6.6
const SYMBOL = 18
const GAP = 16

/** The legend above, the plot below. */
export function draw(
  about: Omit<Chart, 'svg'>,
  options: Plot.PlotOptions,
  keys: readonly Key[],
  colours: Colours,
): Chart {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const plot = Plot.plot({
    document,
    width: WIDTH,
    style: { fontSize: '12px', background: 'transparent', color: 'var(--ink)' },
    ...options,
  }) as unknown as Element
  const height = Number(plot.getAttribute('height'))
  const legend = layOut(keys)
  const top = legend.rows * KEY_HEIGHT + 6
  // Plot's own class and style serve pages; a file brings its own.
  plot.querySelector('style')?.remove()
  const drawn = plot.innerHTML
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="${WIDTH}" height="${height + top}" viewBox="0 0 ${WIDTH} ${height + top}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor" text-anchor="middle">`,
    `<title>${escapeMarkup(about.title)}</title>`,
    `<style>${colours.css('svg.chart')} svg.chart { color: var(--ink); max-width: 100%; height: auto; }</style>`,
    `<rect width="100%" height="100%" fill="var(--paper)"/>`,
    `<g text-anchor="start">${legend.marks}</g>`,
    `<g transform="translate(0,${top})">${drawn}</g>`,
    '</svg>',
  ].join('\n')
  return { ...about, svg }
}

/** Keys one after the other, in as many rows as they need. */
function layOut(keys: readonly Key[]): { rows: number; marks: string } {
  let x = GAP
  let row = 0
  const marks = keys.map(key => {
    const width = SYMBOL + key.label.length * LETTER + GAP
    if (x + width > WIDTH && x > GAP) {
      x = GAP
      row++
    }
    const y = row * KEY_HEIGHT + 16
    const mark = `${symbol(key, x, y)}<text x="${x + SYMBOL}" y="${y}" dy="0.32em">${escapeMarkup(key.label)}</text>`
    x += width
    return mark
  })
  return { rows: keys.length > 0 ? row + 1 : 0, marks: marks.join('') }
}

function symbol({ colour, form }: Key, x: number, y: number): string {
  if (form === 'dot') return `<circle cx="${x + 7}" cy="${y}" r="5" fill="${colour}"/>`
  if (form === 'tick')
    return `<path d="M${x + 7},${y - 7}V${y + 7}" stroke="${colour}" stroke-width="2.5" fill="none"/>`
  const dash = form === 'dash' ? ' stroke-dasharray="4 3"' : ''
  return `<path d="M${x},${y}H${x + 14}" stroke="${colour}" stroke-width="2.5" fill="none"${dash}/>`
}
