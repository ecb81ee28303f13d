/**
 * The package as it is published, in every runtime, through every bundler, by every package manager.
 *
 *   node scripts/test-runtimes.mjs                  everything in test/runtimes
 *   node scripts/test-runtimes.mjs bundlers edge    some of its files
 *   node scripts/test-runtimes.mjs --publish        everything, and the table of runtimes into README.md
 *
 * Linux x64. Installs what it needs: npm packages (test/runtimes/package-lock.json), zig from PyPI, Debian's packages.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { at, root } from './build/paths.mjs'
import { inspect, problemsOf } from './prebuild/inspect.mjs'
import { TARGETS } from './prebuild/targets.mjs'
import { layProject, WORK } from './runtimes/project.mjs'
import { publishTable } from './runtimes/table.mjs'
import { installTools } from './runtimes/tools.mjs'
import { nodeBinary } from './test/node-binary.mjs'
import { inWords, readReport } from './test/report.mjs'

const args = process.argv.slice(2)
const publish = args.includes('--publish')
const filters = args.filter(word => word !== '--publish').map(name => `test/runtimes/${name}.test.ts`)
const report = at('build/reports/runtimes.json')

async function main() {
  if (`${process.platform}-${process.arch}` !== 'linux-x64')
    throw new Error('runtimes are tested on linux-x64 only')
  for (const script of [
    ['build.mjs', '--stale'],
    ['prebuild.mjs', '--host', '--stale'],
  ]) {
    const { status } = spawnSync(process.execPath, [at('scripts', script[0]), ...script.slice(1)], {
      stdio: 'inherit',
    })
    if (status !== 0) throw new Error(`scripts/${script.join(' ')} failed`)
  }
  const tools = await installTools()
  // On a machine with other work a short look sees the other work.
  const laid = await layProject(publish ? 5000 : 1000)
  const prebuilds = inspectAll(laid.installed)
  const nodes = { own: process.execPath, ...(await otherNodes(prebuilds)) }
  const setting = { ...laid, tools, nodes, prebuilds }
  writeFileSync(`${WORK}/setting.json`, JSON.stringify(setting))
  rmSync(report, { force: true })
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/runtimes/vitest.config.mjs',
    ...filters,
  ]
  const env = { ...process.env, SELFSAME_TEST_REPORT: report }
  const { status } = spawnSync(process.execPath, vitest, { cwd: root, stdio: 'inherit', env })
  console.log(`runtimes: ${inWords(readReport(report))}`)
  if (status !== 0) throw new Error('some of it failed, see above')
  if (filters.length === 0) publishTable(publish)
}

function inspectAll(installed) {
  return TARGETS.map(target => {
    const file = `${installed}/prebuilds/${target.name}.node`
    if (!existsSync(file)) return { name: target.name }
    return { name: target.name, bytes: inspect(file).bytes, problems: problemsOf(file, target) }
  })
}

/** Those of other platforms only where there is a binary for them to load. */
async function otherNodes(prebuilds) {
  const has = platform => prebuilds.some(({ name, bytes }) => name === platform && bytes)
  const wanted = {
    22: ['linux-x64', '22'],
    24: ['linux-x64', '24'],
    26: ['linux-x64', '26'],
    ...(has('linux-arm64') && { arm64: ['linux-arm64', '22'] }),
    // Later ones ask Windows for more than wine has.
    ...(has('win32-x64') && { windows: ['win-x64', '20'] }),
  }
  const entries = Object.entries(wanted).map(async ([name, which]) => [name, await nodeBinary(...which)])
  return Object.fromEntries(await Promise.all(entries))
}

main().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})
