/**
 * The whole test suite under other versions of Node.
 *
 *   node scripts/test-nodes.mjs [22 24 26]
 *
 * What is built serves all of them: the addon speaks Node-API 8.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { at, root } from './build/paths.mjs'
import { nodeBinary } from './test/node-binary.mjs'
import { inWords, readReport } from './test/report.mjs'

const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']
const platform = `${process.platform}-${process.arch}`

if (platform === 'linux-x64') await testAll()
else console.log(`other Nodes: skipped: this is ${platform}, and the script installs binaries for linux-x64`)

async function testAll() {
  const build = spawnSync(process.execPath, [at('scripts/build.mjs'), '--stale'], { stdio: 'inherit' })
  if (build.status !== 0) process.exit(1)
  const lines = []
  for (const major of majors) {
    try {
      lines.push(`Node ${major}: ${await testOn(major)}`)
    } catch (error) {
      console.error(error.message)
      lines.push(`Node ${major}: not tested: ${error.message.split('\n')[0]}`)
      process.exitCode = 1
    }
  }
  console.log(lines.join('\n'))
}

async function testOn(major) {
  const node = await nodeBinary(platform, major)
  const report = at('build/reports', `node-${major}.json`)
  rmSync(report, { force: true })
  console.log(`\nNode ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  const { status } = spawnSync(node, [at('node_modules/vitest/vitest.mjs'), 'run'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      SELFSAME_TEST_REPORT: report,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    },
  })
  if (status !== 0) process.exitCode = 1
  return inWords(readReport(report))
}
