/**
 * The package and the bench: src/ and bench/ by tsdown to dist/, with the .wasm files and the recording beside them.
 * @module
 */
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { writeWhole } from './files.mjs'
import { at, toolVersion } from './paths.mjs'
import { run } from './run.mjs'
import { Failed } from './step.mjs'
import { firstError } from './toolchain.mjs'

const WASM = ['simd.wasm', 'relaxed.wasm']
const RECORDING = at('src/explain/recording')
const PROGRAMS = [
  'demo',
  'doctor',
  'selfsame',
  ...['main', 'child', 'compare', 'callgrind'].map(name => `bench/${name}`),
]

/** What is bundled of bench/: neither the peers with their packages nor what a run has written. */
const benchSources = () =>
  readdirSync(at('bench'), { withFileTypes: true })
    .filter(entry => (entry.isFile() ? entry.name.endsWith('.ts') : !/^(peers|results)$/.test(entry.name)))
    .map(entry => at('bench', entry.name))

export const ts = {
  name: 'ts',
  inputs: [
    ...['src', 'tsdown.config.ts', 'tsconfig.json', 'package.json'].map(path => at(path)),
    ...benchSources(),
    ...WASM.map(name => at('build/wasm', name)),
    import.meta.filename,
  ],
  words: ['tsdown', 'rolldown', 'typescript'].map(toolVersion),
  outputs: [
    ...['index.js', 'index.d.ts', 'edge.js', 'edge.d.ts'].map(name => at('dist', name)),
    ...['onnx.js', 'onnx.d.ts', 'onnx-edge.js', ...WASM].map(name => at('dist', name)),
    ...PROGRAMS.map(name => at('dist', `${name}.js`)),
  ],
  run: bundle,
}

async function bundle() {
  // Made aside and moved in place at the end, so that dist never holds half a package nor leftovers of an older one.
  const fresh = at('build/dist')
  rmSync(fresh, { recursive: true, force: true })
  const tsdown = at('node_modules/tsdown/dist/run.mjs')
  const { ok, text } = await run(process.execPath, [tsdown, '--out-dir', fresh])
  const log = stripVTControlCharacters(text)
  writeWhole(at('build/logs/ts.log'), log)
  if (!ok) throw new Failed(firstError(log), log)
  for (const name of WASM) cpSync(at('build/wasm', name), join(fresh, name))
  if (existsSync(RECORDING)) cpSync(RECORDING, join(fresh, 'recording'), { recursive: true })
  rmSync(at('dist'), { recursive: true, force: true })
  renameSync(fresh, at('dist'))
}
