/**
 * The report as one HTML file that needs nothing else.
 * @module
 */
import type { Results } from '../result.ts'
import type { Chart } from './canvas.ts'
import { coloursFor } from './colours.ts'
import { COLUMNS, figuresOf, isSlower, TO_PEER } from './columns.ts'
import { digits } from './figures.ts'
import { escapeMarkup } from './markup.ts'
import { PRICE_MEANING, pricesOf } from './prices.ts'
import { type Row, type Section, sectionsOf } from './view.ts'
import { limitFacts, limitWords, MEANING, machineFacts, reasonOf, standingWords, titleOf } from './words.ts'

const STYLE = `
body { margin: 0 auto; padding: 24px 20px 60px; max-width: 860px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; color-scheme: light dark; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 6px; } h3 { font-size: 15px; margin: 22px 0 0; } h3 small { font-weight: 400; }
p { margin: 6px 0; } .faint, small { color: var(--faint); } .claim { font-size: 17px; margin: 14px 0; }
figure { margin: 0; } figure svg { display: block; } figcaption { color: var(--faint); font-size: 13.5px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 500; color: var(--faint); } th:first-child, td:first-child, td.text { text-align: left; }
.facts td { white-space: normal; text-align: left; vertical-align: top; } .facts td:first-child { color: var(--faint); width: 190px; }
tr.first td { font-weight: 650; } tr.own td:first-child { color: var(--native); } .worse { color: var(--worse); }
.prices td { vertical-align: top; } .prices small { display: block; white-space: normal; color: var(--faint); }
details summary { cursor: pointer; } ul { margin: 6px 0; padding-left: 20px; } code { font-size: 13px; }
`

export function pageOf(results: Results, charts: readonly Chart[]): string {
  const shapes = sectionsOf(results, 'shapes')
  const [claim, ...losses] = standingWords(shapes)
  const colours = coloursFor(results.lines.map(({ contender }) => contender))
  const body = [
    '<h1>Self-attention on this machine</h1>',
    `<p class="faint">${escapeMarkup(results.machine.cpu)}, ${results.machine.cores} cores; ${escapeMarkup(results.machine.date.slice(0, 10))}; <code>${escapeMarkup(results.command)}</code></p>`,
    ...(results.interrupted
      ? ['<p class="claim worse">Ended early: what is missing was not measured.</p>']
      : []),
    ...(claim ? [`<p class="claim">${escapeMarkup(claim)}</p>`] : []),
    ...(losses.length > 0
      ? [`<ul>${losses.map(loss => `<li>${escapeMarkup(loss)}</li>`).join('')}</ul>`]
      : []),
    ...charts.map(
      ({ title, caption, svg }) =>
        `<h2>${escapeMarkup(title)}</h2><figure>${svg}<figcaption>${escapeMarkup(caption)}</figcaption></figure>`,
    ),
    '<h2>All figures</h2>',
    `<details><summary>How to read them</summary><ul>${MEANING.map(text => `<li>${escapeMarkup(text)}</li>`).join('')}</ul></details>`,
    ...shapes.map(sectionTable),
    ...priceTable(results),
    '<h2>Machine and limits</h2>',
    factTable([...machineFacts(results), ...limitFacts(results)]),
    ...(results.absent.length > 0
      ? [
          '<h2>Not here</h2>',
          factTable(results.absent.map(({ contender, reason }): [string, string] => [contender, reason])),
        ]
      : []),
  ]
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>selfsame: results of the bench</title><style>${colours.css(':root')}${STYLE}</style></head>`,
    `<body>${body.join('\n')}</body>`,
    '</html>',
    '',
  ].join('\n')
}

function sectionTable(section: Section): string {
  const { name, dims, note, cost } = titleOf(section)
  const limit = limitWords(section)
  return [
    `<h3>${escapeMarkup(name)} <small>${escapeMarkup(dims)}: ${escapeMarkup(note)}. ${cost}${limit ? `; ${escapeMarkup(limit)}` : ''}</small></h3>`,
    `<div class="scroll"><table><tr><th>contender</th>${COLUMNS.map(column => `<th>${column}</th>`).join('')}</tr>`,
    ...section.rows.map((row, i) => tableRow(row, i === 0)),
    '</table></div>',
  ].join('\n')
}

function tableRow({ line, own, timed }: Row, first: boolean): string {
  const kind = `${first && timed ? 'first ' : ''}${own ? 'own' : ''}`
  const name = `<td title="${escapeMarkup(line.how ?? '')}">${escapeMarkup(line.contender)}</td>`
  if (!timed) {
    const worse = line.outcome === 'cannot' ? 'faint' : 'worse'
    return `<tr class="${kind}">${name}<td class="text ${worse}" colspan="${COLUMNS.length}">${escapeMarkup(reasonOf(line))}</td></tr>`
  }
  const cells = figuresOf(timed, line)
  if (isSlower(own, timed)) cells[TO_PEER] = `<span class="worse">${cells[TO_PEER]}</span>`
  return `<tr class="${kind}">${name}${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`
}

function priceTable(results: Results): string[] {
  const { contenders, prices } = pricesOf(results)
  if (prices.length === 0) return []
  const head = ['option', 'kept', ...contenders].map(text => `<th>${escapeMarkup(text)}</th>`).join('')
  return [
    `<h2>What options cost</h2><p>${escapeMarkup(PRICE_MEANING)} Below it the median in milliseconds with the option.</p>`,
    `<div class="scroll"><table class="prices"><tr>${head}</tr>`,
    ...prices.map(({ option, note, kept, cells }) => {
      const texts = cells.map(cell =>
        'relative' in cell
          ? `<td>${cell.relative.toFixed(2)} <small>${digits(cell.ms)}</small></td>`
          : `<td class="faint" title="${escapeMarkup(cell.reason)}">${cell.word}</td>`,
      )
      const words = `<td>${escapeMarkup(option)} <small>${escapeMarkup(note)}</small></td><td>${kept}</td>`
      return `<tr>${words}${texts.join('')}</tr>`
    }),
    '</table></div>',
  ]
}

function factTable(all: readonly [string, string][]): string {
  const rows = all.map(
    ([name, text]) => `<tr><td>${escapeMarkup(name)}</td><td>${escapeMarkup(text)}</td></tr>`,
  )
  return `<table class="facts">${rows.join('\n')}</table>`
}
