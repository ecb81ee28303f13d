/**
 * The table of README.md: the shapes in short, between two comments.
 * @module
 */
import type { Results } from '../result.ts'
import { describeShape } from '../shapes.ts'
import { BOUND } from '../verify.ts'
import { digits, error, times } from './figures.ts'
import { fastestOf, type Row, type Section, sectionsOf, type Timing } from './view.ts'
import { standingWords } from './words.ts'

const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

/** The text with the table of these results between its two comments. @throws Error where they are missing */
export function withTable(text: string, results: Results): string {
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`README.md: expected ${START} and after it ${END}`)
  return `${text.slice(0, start + START.length)}\n${readmeTable(results)}\n${text.slice(end)}`
}

interface Column {
  title: string
  holds(contender: string): boolean
}

/** One for each family of ours, the fastest of which counts, and one for each peer. */
function columnsOf(results: Results): Column[] {
  const families = ['native', 'wasm'].map(family => ({
    title: `selfsame ${family}`,
    holds: (contender: string) => results.own.includes(contender) && contender.startsWith(family),
  }))
  const measured = new Set(
    results.lines.filter(({ group }) => group === 'shapes').map(line => line.contender),
  )
  const peers = [...measured].filter(name => !results.own.includes(name))
  return [...families, ...peers.map(peer => ({ title: peer, holds: (name: string) => name === peer }))]
}

export function readmeTable(results: Results): string {
  const { machine, command, rounds } = results
  const all = sectionsOf(results, 'shapes')
  const sections = all.filter(({ threads }) => threads === all[0].threads)
  const columns = columnsOf(results)
  const on = sections[0].threads === 1 ? 'one core' : `${sections[0].threads} cores`
  const head = ['shape', ...columns.map(({ title }) => title), 'to best peer']
  const largest = columns.map(({ holds }) => {
    const errors = sections.flatMap(({ rows }) =>
      rows
        .filter(({ line, timed }) => timed && holds(line.contender))
        .map(({ line }) => line.verdict!.maxAbs),
    )
    return errors.length > 0 ? error(Math.max(...errors)) : '-'
  })
  return [
    `Median milliseconds on ${on} of ${machine.cpu}, Node ${machine.node}, ${machine.date.slice(0, 10)}, ${rounds} rounds; the fastest in bold. Every result was compared with float64 before it was timed, and would have no time if it were off by ${error(BOUND.maxAbs)} or more; the last line has the largest errors.`,
    '',
    `| ${head.join(' | ')} |`,
    `|---|${head
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
    ...sections.map(section => rowOf(section, columns)),
    `| largest error | ${largest.join(' | ')} | |`,
    '',
    ...standingWords(sections).map((text, i) => (i === 0 ? `${text}\n` : `- ${text}`)),
    '',
    `Written by \`${command}\`; [bench/RESULTS.md](bench/RESULTS.md) has all of it.`,
  ].join('\n')
}

function rowOf(section: Section, columns: readonly Column[]): string {
  const cells = columns.map(({ holds }) => {
    const rows = section.rows.filter(({ line }) => holds(line.contender))
    const best = rows.find(({ timed }) => timed)
    if (!best) return rows.some(({ line }) => line.outcome === 'wrong') ? 'wrong' : '-'
    const text = digits(best.timed!.median)
    return best === section.rows[0] ? `**${text}**` : text
  })
  const ours: Timing | undefined = (fastestOf(section, true) as Row | undefined)?.timed
  return `| ${section.shape.name} \`${describeShape(section.shape)}\` | ${cells.join(' | ')} | ${times(ours?.toPeer)} |`
}
