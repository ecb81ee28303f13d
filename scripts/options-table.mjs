/**
 * The table of options and backends in the README, found out by running every option on every backend.
 *
 *   node scripts/options-table.mjs           prints it
 *   node scripts/options-table.mjs --write   puts it between <!-- options:start --> and <!-- options:end -->
 *
 * Writing needs a machine on which every backend runs.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { at } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { bundleProgram } from './test/bundle.mjs'
import { engineFlags } from './test/engine-flags.mjs'

const program = await bundleProgram('test/options-main.ts', at('build/options'), 'options')
const { ok, stdout, text } = await run(process.execPath, [...engineFlags(), program])
if (!ok) fail(text)
else if (!process.argv.includes('--write')) console.log(stdout.trim())
else if (stdout.includes('| ? |')) fail(`not every backend runs here:\n${stdout}`)
else write(stdout.trim())

function write(table) {
  const file = at('README.md')
  const readme = readFileSync(file, 'utf8')
  const block = /(<!-- options:start -->\n)(?:.*\n)*(<!-- options:end -->)/
  if (!block.test(readme)) fail('README.md has no <!-- options:start --> and <!-- options:end -->')
  else
    writeFileSync(
      file,
      readme.replace(block, (_, start, end) => `${start}${table}\n${end}`),
    )
}

function fail(message) {
  console.error(message)
  process.exitCode = 1
}
