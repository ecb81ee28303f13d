/**
 * The table of runtimes in README.md, from what each of them said about itself in the last run.
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { at } from '../build/paths.mjs'
import { WORK } from './project.mjs'

const START = '<!-- runtimes:start -->'
const END = '<!-- runtimes:end -->'
const ORDER = [/^Node \d+$/, /^Node/, /^Deno,/, /^Deno$/, /^Bun/, /^workerd$/, /^Chromium$/, /^Chromium/]

/** Prints the table, and writes it between the two comments when asked to. */
export function publishTable(write) {
  const table = tableOf(readReports())
  if (!write) return console.log(`\n${table}`)
  const text = readFileSync(at('README.md'), 'utf8')
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`README.md: expected ${START} and after it ${END}`)
  writeFileSync(at('README.md'), `${text.slice(0, start + START.length)}\n${table}\n${text.slice(end)}`)
}

function readReports() {
  const folder = `${WORK}/reports`
  if (!existsSync(folder)) return []
  const reports = readdirSync(folder).map(name => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')))
  const placed = reports.map(report => ({
    report,
    place: ORDER.findIndex(pattern => pattern.test(report.name)),
  }))
  return placed
    .filter(({ place }) => place >= 0)
    .sort((a, b) => a.place - b.place || a.report.name.localeCompare(b.report.name))
    .map(({ report }) => report)
}

function tableOf(reports) {
  const rows = reports.map(({ name, version, info, cases, error, gflops }) => {
    const isa = info.backend === 'native' ? ` (${info.isa})` : ''
    return `| ${name} | ${version} | \`${info.backend}\`${isa} | ${cases} | ${error.toExponential(1)} | ${gflops.toFixed(0)} |`
  })
  return [
    '| runtime | version | backend | cases passed | error | GFLOP/s |',
    '| --- | --- | --- | ---: | ---: | ---: |',
    ...rows,
    '',
    `bert-512, one thread of ${cpus()[0].model}, from the tarball; error against float64, relative to the row's scale. Written by \`node scripts/test-runtimes.mjs --publish\`.`,
  ].join('\n')
}
