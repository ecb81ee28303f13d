/**
 * The files of a report.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Options } from '../options.ts'
import type { Results } from '../result.ts'
import { isRepository, packageRoot } from '../root.ts'
import type { Chart } from './canvas.ts'
import { markdownOf } from './markdown.ts'
import { pageOf } from './page.ts'
import { withTable } from './readme.ts'

/** Where the report goes. */
export type Places = Pick<Options, 'json' | 'out' | 'publish'>

/**
 * Writes what was asked for, and in the repository the whole report, to build/bench; returns the files.
 * What is published from there is a choice of its own: a run that was only tried changes no figure.
 */
export async function writeReport(results: Results, places: Places): Promise<string[]> {
  const written: string[] = []
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    written.push(file)
  }
  const json = `${JSON.stringify(results, undefined, 1)}\n`
  if (places.json) write(resolve(places.json), json)
  const folder = reportFolder(places)
  if (folder === undefined) return written
  const charts = await draw(results)
  write(join(folder, 'results.json'), json)
  write(join(folder, 'index.html'), pageOf(results, charts))
  write(join(folder, 'RESULTS.md'), markdownOf(results, charts, '.'))
  for (const { name, svg } of charts) write(join(folder, `${name}.svg`), svg)
  if (!places.publish) return written
  if (results.interrupted) throw new Error('--publish: expected a whole run; this one ended early')
  const bench = join(packageRoot(), 'bench')
  write(join(bench, 'results/results.json'), json)
  write(join(bench, 'RESULTS.md'), markdownOf(results, charts, 'results'))
  for (const { name, svg } of charts) write(join(bench, `results/${name}.svg`), svg)
  const readme = join(packageRoot(), 'README.md')
  write(readme, withTable(readFileSync(readme, 'utf8'), results))
  return written
}

/** The drawing libraries are not part of the published package: there the report goes without pictures. */
async function draw(results: Results): Promise<Chart[]> {
  try {
    const { chartsOf } = await import('./charts.ts')
    return chartsOf(results)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    process.stderr.write('no charts: they need the packages @observablehq/plot and linkedom\n')
    return []
  }
}

/** An installed package has no place for files that nobody asked for. */
function reportFolder({ out }: Places): string | undefined {
  if (out) return resolve(out)
  return isRepository() ? join(packageRoot(), 'build/bench') : undefined
}
