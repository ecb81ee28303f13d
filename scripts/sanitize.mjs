/**
 * The native code under sanitizers, which end the program at the first finding:
 *
 *   address, undefined   the addon in Node: drawn calls of every option, plans that lie, aborts, workers that end;
 *                        and the program of test/native/
 *   thread               the program of test/native/ (Node itself is not built for it, so its own locks would be
 *                        taken for none): several callers on one pool, errands, pools that end and begin
 *
 *   node scripts/sanitize.mjs
 *
 * A compiler without a sanitizer skips it, and one line says so. Linux only: elsewhere the libraries load otherwise.
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { build } from 'tsdown'
import { filesBelow } from './build/files.mjs'
import { at } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { findHeaders, firstError, firstInPath } from './build/toolchain.mjs'
import { engineFlags } from './test/engine-flags.mjs'

const COMPILER = process.env.CXX || 'g++'
/** A second root of the package, so that the addon lies where the loader looks for one. */
const tree = at('build/sanitize')
/** As binding.gyp compiles, but for what makes a finding readable. */
const FLAGS =
  '-std=c++20 -O1 -g1 -fno-omit-frame-pointer -ffp-contract=off -fPIC -Wno-uninitialized -Wno-maybe-uninitialized'
// A plan that asks for more memory than there is must get its error, as without a sanitizer. Leaks: Node's own.
const ENV = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1',
}

const all = filesBelow([at('native')]).filter(file => file.endsWith('.cc') && !file.includes('/probe/'))
const program = [
  ...all.filter(file => !/\/addon\.cc$|\/binding\//.test(file)),
  ...filesBelow([at('test/native')]),
]

const reason = missing()
if (reason) {
  console.log(`sanitizers: skipped: ${reason}`)
} else {
  await check('address,undefined', 'libasan.so', runBoth)
  await check('thread', 'libtsan.so', ({ objects, flag }) => runProgram(objects(program), flag))
}

function missing() {
  if (process.platform !== 'linux') return `this is ${process.platform}, and the script knows Linux`
  if (!firstInPath([COMPILER])) return `no ${COMPILER}`
  if (!findHeaders()) return 'no headers beside this Node'
  return undefined
}

/** Builds with one set of sanitizers and runs what it is for. */
async function check(sanitizer, library, body) {
  const found = (await run(COMPILER, [`-print-file-name=${library}`])).stdout.trim()
  if (!existsSync(found)) return console.log(`${sanitizer}: skipped: ${COMPILER} has no ${library}`)
  const start = performance.now()
  const flag = `-fsanitize=${sanitizer}`
  const folder = `${tree}/${sanitizer.replace(',', '-')}`
  const objects = sources => sources.map(source => `${folder}/${basename(source, '.cc')}.o`)
  mkdirSync(folder, { recursive: true })
  try {
    const sources = [...new Set([...all, ...program])]
    await inTurns(sources, source => compile(source, objects([source])[0], flag))
    await body({ objects, flag, library: found })
    console.log(`${sanitizer}: clean, ${((performance.now() - start) / 1000).toFixed(1)} s`)
  } catch (error) {
    console.log(`${sanitizer}: FAILED: ${error.message}`)
    process.exitCode = 1
  }
}

/** As many at once as there are cores. */
async function inTurns(items, body) {
  const left = [...items]
  const turn = async () => {
    for (let item = left.shift(); item; item = left.shift()) await body(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, turn))
}

async function compile(source, object, flag) {
  const defines = ['-DNAPI_VERSION=8', '-DNODE_ADDON_API_DISABLE_DEPRECATED', '-DNAPI_DISABLE_CPP_EXCEPTIONS']
  const headers = [at('native'), at('node_modules/node-addon-api'), `${findHeaders()}/include/node`]
  // vptr needs to know every class, and those of Node are not there.
  const sanitize = [
    flag,
    '-fno-sanitize-recover=all',
    ...(flag.includes('undefined') ? ['-fno-sanitize=vptr'] : []),
  ]
  const include = headers.map(folder => `-I${folder}`)
  await must(COMPILER, [...FLAGS.split(' '), ...sanitize, ...defines, ...include, '-c', source, '-o', object])
}

async function runProgram(objects, flag) {
  const file = `${tree}/callers`
  await must(COMPILER, [flag, ...objects, '-o', file, '-pthread'])
  tell(await must(file, []))
}

async function runBoth({ objects, flag, library }) {
  await runProgram(objects(program), flag)
  const addon = `${tree}/build/Release/selfsame.node`
  mkdirSync(`${tree}/build/Release`, { recursive: true })
  copyFileSync(at('package.json'), `${tree}/package.json`)
  rmSync(addon, { force: true })
  await must(COMPILER, [flag, '-shared', ...objects(all), '-o', addon, '-pthread'])
  await build({
    config: false,
    entry: { main: at('test/sanitize-main.ts') },
    outDir: `${tree}/build/main`,
    platform: 'node',
    target: 'node20',
    fixedExtension: true,
    dts: false,
    clean: false,
    logLevel: 'silent',
  })
  const flags = [...engineFlags(), `${tree}/build/main/main.mjs`]
  tell(await must(process.execPath, flags, { ...ENV, LD_PRELOAD: library }))
}

function tell(text) {
  console.log(text.trimEnd())
}

async function must(command, args, env = ENV) {
  const { ok, text } = await run(command, args, { env })
  if (!ok) throw new Error(`${basename(command)}: ${firstError(text)}\n${text}`)
  return text
}
