/**
 * The NEON kernels on an x64 Linux machine: the addon by a cross compiler, with the flags of binding.gyp,
 * and the conformance cases by an arm64 Node under qemu.
 *
 *   node scripts/test-neon.mjs
 *
 * Needs aarch64-linux-gnu-g++ and qemu-aarch64; installs Debian's packages of them where it may, else skips and says why.
 * Vitest itself would need its own binaries for arm64 and minutes to start; test/neon-main.ts runs without it.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { nodeGyp } from './build/native.mjs'
import { at } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { findHeaders, firstError, firstInPath } from './build/toolchain.mjs'
import { bundleProgram } from './test/bundle.mjs'
import { nodeBinary } from './test/node-binary.mjs'
import { inWords, readReport } from './test/report.mjs'

const COMPILER = 'aarch64-linux-gnu-g++'
const EMULATOR = 'qemu-aarch64'
const SYSROOT = '/usr/aarch64-linux-gnu'
const PACKAGES = ['g++-aarch64-linux-gnu', 'qemu-user']
const NODE = '22'

/** A second root of the package, so that the arm64 addon lies where the loader looks for one. */
const tree = at('build/arm64')
const report = at('build/reports/neon.json')

const reason = await missing()
if (reason) console.log(`NEON: skipped: ${reason}`)
else await test()

/** Why this machine cannot run the test, after trying to give it what it needs. */
async function missing() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `this is ${process.platform}-${process.arch}; the script cross-compiles on linux-x64`
  }
  const absent = () => [COMPILER, EMULATOR].filter(name => !firstInPath([name]))
  if (absent().length === 0) return undefined
  if (process.getuid() !== 0 || !firstInPath(['apt-get'])) {
    return `no ${absent().join(', no ')}; install ${PACKAGES.join(' and ')}`
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...PACKAGES]]) {
    const { ok, text } = await run('apt-get', args, { env })
    if (!ok) return `apt-get ${args[0]} failed: ${firstError(text)}`
  }
  return absent().length === 0 ? undefined : `no ${absent().join(', no ')}, although its package is installed`
}

async function test() {
  await buildAddon()
  const program = await bundleProgram('test/neon-main.ts', tree, 'neon')
  const node = await nodeBinary('linux-arm64', NODE)
  rmSync(report, { force: true })
  const { status } = spawnSync(EMULATOR, ['-L', SYSROOT, node, program], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, SELFSAME_TEST_REPORT: report },
  })
  console.log(`NEON under ${EMULATOR}: ${inWords(readReport(report))}`)
  process.exitCode = status === 0 ? 0 : 1
}

async function buildAddon() {
  mkdirSync(tree, { recursive: true })
  for (const name of ['package.json', 'binding.gyp']) copyFileSync(at(name), `${tree}/${name}`)
  if (!existsSync(`${tree}/native`)) symlinkSync(at('native'), `${tree}/native`)
  const env = { ...process.env, CXX: COMPILER, CC: COMPILER.replace('g++', 'gcc') }
  const headers = findHeaders()
  const where = headers ? [`--nodedir=${headers}`] : []
  const start = performance.now()
  const { ok, text } = await nodeGyp(['configure', 'build', '--arch=arm64', '-j', '2', ...where], env, tree)
  if (!ok) throw new Error(`the addon does not build for arm64: ${firstError(text)}\n${text}`)
  console.log(`NEON: addon built in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
