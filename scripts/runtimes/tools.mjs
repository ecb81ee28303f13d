/**
 * The programs of test/runtimes, each by the path of its real binary: what npm puts in `.bin` for some of them
 * only works once an install script has run, and none is run here.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hashOf } from '../build/files.mjs'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'
import { firstInPath } from '../build/toolchain.mjs'

const folder = at('test/runtimes')
const modules = path => `${folder}/node_modules/${path}`
const STAMP = modules('.selfsame-lock')

const PROGRAMS = {
  deno: modules('@deno/linux-x64-glibc/deno'),
  bun: modules('@oven/bun-linux-x64/bin/bun'),
  workerd: modules('@cloudflare/workerd-linux-64/bin/workerd'),
  esbuild: modules('@esbuild/linux-x64/bin/esbuild'),
  // Programs of Node; wrangler and npm 12 want a newer one than the repository itself.
  wrangler: modules('wrangler/bin/wrangler.js'),
  vite: modules('vite/bin/vite.js'),
  npm11: modules('npm-11/bin/npm-cli.js'),
  npm12: modules('npm-12/bin/npm-cli.js'),
  pnpm: modules('@pnpm/exe.linux-x64/pnpm'),
  yarn: modules('@yarnpkg/cli-dist/bin/yarn.js'),
  publint: modules('publint/src/cli.js'),
  attw: modules('@arethetypeswrong/cli/dist/index.js'),
}

/** Debian's packages: the program, what it is called there, and the prebuild that it runs, if it is for one alone. */
const SYSTEM = [
  { name: 'chromium', packages: ['chromium'] },
  { name: 'qemu-x86_64', packages: ['qemu-user'] },
  { name: 'qemu-aarch64', packages: ['qemu-user'], prebuild: 'linux-arm64' },
  // For the C library that Node for arm64 runs on.
  { name: 'aarch64-linux-gnu-g++', packages: ['g++-aarch64-linux-gnu'], prebuild: 'linux-arm64' },
  { name: 'musl-gcc', packages: ['musl-tools'], prebuild: 'linux-x64-musl' },
  { name: 'wine', packages: ['wine', 'wine64'], prebuild: 'win32-x64' },
]

/**
 * Installs what the lock file names, once for each state of it, and what is missing of Debian's packages.
 * @returns the paths of all programs
 * @throws Error that names what could not be had: these tests are not skipped in silence
 */
export async function installTools() {
  const lock = hashOf([`${folder}/package-lock.json`])
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== lock) {
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
    writeFileSync(STAMP, lock)
  }
  const wanted = SYSTEM.filter(({ prebuild }) => !prebuild || existsSync(at('prebuilds', `${prebuild}.node`)))
  const absent = wanted.filter(({ name }) => !firstInPath([name]))
  if (absent.length > 0) {
    await must('apt-get', ['update'])
    const packages = [...new Set(absent.flatMap(tool => tool.packages))]
    await must('apt-get', ['install', '-y', '--no-install-recommends', ...packages])
  }
  const lost = Object.values(PROGRAMS).filter(path => !existsSync(path))
  if (lost.length > 0) throw new Error(`not installed: ${lost.join(', ')}`)
  return { ...PROGRAMS, ...Object.fromEntries(wanted.map(({ name }) => [name, name])) }
}

async function must(program, args, cwd) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { ok, text } = await run(program, args, { cwd, env })
  if (!ok) throw new Error(`${program} ${args.slice(0, 2).join(' ')} failed:\n${text}`)
}
