/**
 * What a native build needs, looked for before it starts, so that a machine without it gets one clear line
 * in place of a page of node-gyp's.
 * @module
 */
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { run } from './run.mjs'
import { Unavailable } from './step.mjs'

/**
 * Finds compiler, make, Python and Node's headers.
 * `env` is what node-gyp is to run with; `nodedir` is undefined where node-gyp must fetch the headers itself.
 */
export async function findToolchain() {
  const env = { ...process.env }
  // On Windows node-gyp finds Visual Studio by itself, and says so when there is none.
  if (process.platform !== 'win32') {
    env.CXX ||= firstInPath(['c++', 'g++', 'clang++'])
    if (!env.CXX) throw new Unavailable('no C++ compiler (c++, g++ or clang++) in PATH')
    if (!firstInPath(['make', 'gmake'])) throw new Unavailable('no make in PATH')
    await checkCompiler(env.CXX)
  }
  await checkPython()
  return { env, nodedir: findHeaders() }
}

/** The folder with include/node: what npm was told, else the running Node's own prefix. */
export function findHeaders() {
  const told = process.env.npm_config_nodedir
  const own = dirname(dirname(process.execPath))
  // A checkout of Node's sources serves as well; its headers are in src.
  const has = folder => ['include/node', 'src'].some(sub => existsSync(join(folder, sub, 'node_api.h')))
  return [told, own].find(folder => folder && has(folder))
}

/** Compiles a few lines of C++20: a compiler that is too old, or lacks its library, is not our failure. */
async function checkCompiler(cxx) {
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-'))
  try {
    const probe = join(folder, 'probe.cc')
    writeFileSync(
      probe,
      '#include <atomic>\n#include <bit>\n#include <thread>\nint main() { return std::popcount(0u); }\n',
    )
    const [program, ...args] = cxx.split(/\s+/)
    const { ok, text } = await run(program, [...args, '-std=c++20', '-fsyntax-only', probe])
    if (!ok) throw new Unavailable(`${cxx} does not compile C++20 (${firstError(text)})`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function checkPython() {
  const told = process.env.npm_config_python || process.env.NODE_GYP_FORCE_PYTHON || process.env.PYTHON
  const windows = process.platform === 'win32' ? ['py'] : []
  for (const program of told ? [told] : ['python3', 'python', ...windows]) {
    const { ok } = await run(program, ['-c', 'import sys; sys.exit(sys.version_info < (3, 6))'])
    if (ok) return
  }
  throw new Unavailable(`no Python 3 (${told || 'python3 or python'}), which node-gyp needs`)
}

/** The first of the programs that is in PATH. */
export function firstInPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)
  return names.find(name => folders.some(folder => isExecutable(join(folder, name))))
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The line of a log that names the error, past those that only say that there is one. */
export function firstError(text) {
  const lines = text.split('\n').map(line => line.trim())
  const telling = lines.filter(
    line => line !== '' && !/ERR! (configure|build) error|Build failed with/.test(line),
  )
  return telling.find(line => /^gyp: |\berror\b/i.test(line)) ?? telling[0] ?? 'no message'
}
