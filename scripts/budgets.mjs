/**
 * Checks the package as it would be published: sizes, files, and that a stranger's project can use it.
 * The budgets are listed in CONTRIBUTING.md.
 *
 *   node scripts/budgets.mjs
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { minifiedCore, strippedAddon } from './pack/sizes.mjs'
import { packAndInstall } from './pack/tarball.mjs'

const KB = 1024
const folder = mkdtempSync(join(tmpdir(), 'selfsame-pack-'))
let failed = 0

function check(what, ok, detail = '') {
  if (!ok) failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${what.padEnd(44)} ${detail}`)
}

function checkSize(what, bytes, budget) {
  const words = `${(bytes / KB).toFixed(1)} KB of ${budget / KB} KB`
  check(what, bytes <= budget, words)
}

/** One key gets all the weight, so the output is its value, exactly. */
const USE = `
  const out = attention({ data: Float32Array.of(1, 2), dims: [1, 2] }, { data: Float32Array.of(3, 4), dims: [1, 2] },
    { data: Float32Array.of(5, 6), dims: [1, 2] })
  if (String(out.data) !== '5,6') throw new Error('attention gave ' + out.data)
  console.log(info().backend)`

async function checkUse(project) {
  const programs = {
    import: `import { attention, info } from 'selfsame'${USE}`,
    require: `const { attention, info } = require('selfsame')${USE}`,
  }
  for (const [way, program] of Object.entries(programs)) {
    const type = way === 'import' ? 'module' : 'commonjs'
    const { ok, text } = await run(process.execPath, [`--input-type=${type}`, '-e', program], {
      cwd: project,
    })
    check(`${way} from an empty project`, ok, text.trim())
  }
}

async function checkCommand(project) {
  const { ok, text } = await run('npm', ['exec', '--offline', '--', 'selfsame', 'bench', '--list'], {
    cwd: project,
  })
  check('npx selfsame bench from an empty project', ok && text.includes('bert-512'), ok ? '' : text.trim())
}

async function checkTypes(project) {
  const program =
    "import { attention, type Tensor } from 'selfsame'\nexport const f = (t: Tensor): Tensor => attention(t, t, t)\n"
  writeFileSync(join(project, 'use.mts'), program)
  const tsc = [at('node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--target', 'es2022', 'use.mts']
  for (const [resolution, module] of Object.entries({ nodenext: 'nodenext', bundler: 'esnext' })) {
    const args = [...tsc, '--module', module, '--moduleResolution', resolution]
    const { ok, text } = await run(process.execPath, args, { cwd: project })
    check(`types, moduleResolution ${resolution}`, ok, text.trim())
  }
}

/** All strings in nested objects and arrays. */
function leavesOf(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(leavesOf)
}

function checkManifest(files, installed) {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const hooks = ['preinstall', 'install', 'postinstall'].filter(name => manifest.scripts?.[name])
  check('no install scripts', hooks.length === 0, hooks.join(', '))
  check('no binding.gyp', !files.includes('binding.gyp'))
  check('no runtime dependencies', Object.keys(manifest.dependencies ?? {}).length === 0)
  const targets = leavesOf([manifest.main, manifest.types, manifest.exports, manifest.bin])
  const lost = targets.filter(target => !files.includes(target.replace(/^\.\//, '')))
  check('every export is in the package', lost.length === 0, lost.join(', '))
}

try {
  const { files, project, installed } = await packAndInstall(folder)
  for (const name of ['simd', 'relaxed']) {
    checkSize(`${name}.wasm`, statSync(join(installed, 'dist', `${name}.wasm`)).size, 64 * KB)
  }
  checkSize('core, minified, without WASM', await minifiedCore(folder), 73 * KB)
  const addon = await strippedAddon(folder)
  if (addon === undefined) console.log('skipped  the addon: not built here, or no strip')
  // 56 KB of it are tiles of int16, bfloat16 and int8 on AVX-512 and of int16 on AVX2.
  else checkSize('addon, stripped', addon, 430 * KB)
  checkManifest(files, installed)
  await checkUse(project)
  await checkCommand(project)
  await checkTypes(project)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(failed === 0 ? 'the package is within its budgets' : `${failed} checks failed`)
process.exitCode = failed === 0 ? 0 : 1
