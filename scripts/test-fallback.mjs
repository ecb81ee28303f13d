/**
 * A machine without a compiler: copies the tree to a temporary folder, hides all programs but Node, npm and
 * a few of the system's from PATH, and runs both commands of the README there. WASM must take over, and say so.
 *
 *   node scripts/test-fallback.mjs
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { at, root } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { inWords, readReport } from './test/report.mjs'

const NOT_IN_A_CLONE = [
  '.git',
  'node_modules',
  'bench/peers/node_modules',
  'test/runtimes/node_modules',
  'build',
  'dist',
  'prebuilds',
  'src/backends/wasm-inline.generated.ts',
]
const PROGRAMS = [
  'node',
  'npm',
  'npx',
  'sh',
  'env',
  'uname',
  'cat',
  'ls',
  'cp',
  'mkdir',
  'rm',
  'sed',
  'dirname',
]

const folder = mkdtempSync(join(tmpdir(), 'selfsame-fallback-'))
const tree = join(folder, 'tree')
const bin = join(folder, 'bin')
const report = at('build/reports/fallback.json')

try {
  cpSync(root, tree, { recursive: true, filter: path => !NOT_IN_A_CLONE.includes(relative(root, path)) })
  mkdirSync(bin)
  for (const name of PROGRAMS) hideAllBut(name)
  const { CXX, CC, SELFSAME_BUILD, SELFSAME_TEST_EXPECT, ...plain } = process.env
  const env = { ...plain, PATH: bin, SELFSAME_TEST_REPORT: report }
  await must('npm', ['ci'], env)
  const { stdout } = await must('npm', ['run', 'build'], env)
  if (!/^native +skipped: .*WASM takes over/m.test(stdout))
    throw new Error('the build does not say that WASM takes over')
  await must(process.execPath, ['scripts/check-demo.mjs', tree, 'wasm-'], env)
  rmSync(report, { force: true })
  const { status } = spawnSync(join(bin, 'npm'), ['test'], {
    cwd: tree,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  console.log(`without a compiler: ${inWords(readReport(report))}`)
  process.exitCode = status === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function hideAllBut(name) {
  const found = process.env.PATH.split(delimiter)
    .map(part => join(part, name))
    .find(existsSync)
  // By its real path: npm finds its own files from there.
  if (found) symlinkSync(realpathSync(found), join(bin, name))
}

async function must(program, args, env) {
  const result = await run(program, args, { cwd: tree, env })
  console.log(result.text)
  if (!result.ok) throw new Error(`${program} ${args.join(' ')} failed without a compiler`)
  return result
}
