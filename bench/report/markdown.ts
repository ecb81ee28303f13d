/**
 * The report as bench/RESULTS.md: written by the bench and by nothing else.
 * @module
 */
import type { Results } from '../result.ts'
import type { Chart } from './canvas.ts'
import { COLUMNS, figuresOf } from './columns.ts'
import { digits, error, percent } from './figures.ts'
import { PRICE_MEANING, pricesOf, reasonsOf } from './prices.ts'
import { type Row, type Section, sectionsOf } from './view.ts'
import { limitFacts, limitWords, MEANING, machineFacts, reasonOf, standingWords, titleOf } from './words.ts'

/** `folder` is where the charts lie, seen from the file. */
export function markdownOf(results: Results, charts: readonly Chart[], folder: string): string {
  const shapes = sectionsOf(results, 'shapes')
  const [claim, ...losses] = standingWords(shapes)
  return `${[
    '# Results of the bench',
    '',
    `Written by \`${results.command}\`; do not edit. ${results.rounds} rounds, one child process for each contender, shape and round.`,
    ...(results.interrupted ? ['', '**Ended early: what is missing was not measured.**'] : []),
    '',
    ...(claim ? [`**${claim}**`, '', ...losses.map(loss => `- ${loss}`), ''] : []),
    ...facts('Machine', machineFacts(results)),
    ...facts('Limits, measured in the same run', limitFacts(results)),
    '## How to read it',
    '',
    ...MEANING.map(sentence => `- ${sentence}`),
    '',
    ...charts.flatMap(({ title, caption, name }) => [
      `## ${title}`,
      '',
      `![${title}](${folder}/${name}.svg)`,
      '',
      caption,
      '',
    ]),
    '## Shapes',
    '',
    ...shapes.flatMap(sectionLines),
    ...sweep('Sequence length', results, 'sequence'),
    ...sweep('Threads', results, 'threads'),
    ...priceTable(results),
    ...(results.absent.length > 0
      ? [
          '## Not here',
          '',
          ...results.absent.map(({ contender, reason }) => `- ${contender}: ${cell(reason)}`),
          '',
        ]
      : []),
  ].join('\n')}`
}

function facts(title: string, all: readonly [string, string][]): string[] {
  const rows = all.map(([name, text]) => `| ${name} | ${cell(text)} |`)
  return [`## ${title}`, '', '| | |', '|---|---|', ...rows, '']
}

function sectionLines(section: Section): string[] {
  const { name, dims, note, cost } = titleOf(section)
  const limit = limitWords(section)
  return [
    `### ${name}`,
    '',
    `${dims}: ${note}. ${cost}${limit ? `; ${limit}` : ''}.`,
    '',
    `| contender | ${COLUMNS.join(' | ')} | how |`,
    `|---|${COLUMNS.map(() => '---:|').join('')}---|`,
    ...section.rows.map((row, i) => rowLine(row, i === 0)),
    '',
  ]
}

function rowLine({ line, timed }: Row, first: boolean): string {
  if (!timed) return `| ${line.contender} | ${'- | '.repeat(COLUMNS.length)}${cell(reasonOf(line))} |`
  const name = first ? `**${line.contender}**` : line.contender
  const { rows, allRows } = line.verdict!
  const checked = rows === allRows ? '' : `; ${rows} of ${allRows} rows checked`
  return `| ${name} | ${figuresOf(timed, line).join(' | ')} | ${cell(`${line.how ?? ''}${checked}`)} |`
}

/** A sweep shape by shape, without the columns that the chart is for. */
function sweep(title: string, results: Results, group: 'sequence' | 'threads'): string[] {
  const sections = sectionsOf(results, group)
  if (sections.length === 0) return []
  return [
    `## ${title}`,
    '',
    '| shape | contender | median ms | GFLOP/s | of limit | max abs | |',
    '|---|---|---:|---:|---:|---:|---|',
    ...sections.flatMap(section =>
      section.rows.map(({ line, timed }) => {
        const name = `${titleOf(section).name} | ${line.contender}`
        if (!timed) return `| ${name} | - | - | - | - | ${cell(reasonOf(line))} |`
        const figures = [
          digits(timed.median),
          digits(timed.gflops),
          percent(timed.ofLimit),
          error(line.verdict!.maxAbs),
        ]
        return `| ${name} | ${figures.join(' | ')} | ${cell(line.how ?? '')} |`
      }),
    ),
    '',
  ]
}

function priceTable(results: Results): string[] {
  const table = pricesOf(results)
  const { contenders, prices } = table
  if (prices.length === 0) return []
  return [
    '## Options',
    '',
    `${PRICE_MEANING} In brackets the median in milliseconds with the option.`,
    '',
    `| option | | kept | ${contenders.join(' | ')} |`,
    `|---|---|---:|${contenders.map(() => '---:|').join('')}`,
    ...prices.map(({ option, note, kept, cells }) => {
      const texts = cells.map(paid =>
        'relative' in paid ? `${paid.relative.toFixed(2)} (${digits(paid.ms)})` : paid.word,
      )
      return `| ${option} | ${note} | ${kept} | ${texts.join(' | ')} |`
    }),
    '',
    ...reasonsOf(table).map(reason => `- ${cell(reason)}`),
    '',
  ]
}

/** What a table's cell can hold. */
function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ')
}
