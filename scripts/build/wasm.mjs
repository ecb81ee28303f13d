/**
 * The WASM kernels: assembly/ by asc to build/wasm/{simd,relaxed}.wasm, and both as text for the bundle.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { writeWhole } from './files.mjs'
import { at, toolVersion } from './paths.mjs'
import { run } from './run.mjs'
import { Failed } from './step.mjs'
import { firstError } from './toolchain.mjs'

/** One source, two builds. */
const VARIANTS = {
  simd: 'simd',
  relaxed: 'simd,relaxed-simd',
}
const FLAGS = ['-O3', '--converge', '--runtime', 'stub', '--importMemory', '--noAssert']
const binary = variant => at('build/wasm', `${variant}.wasm`)
const INLINE = at('src/backends/wasm-inline.generated.ts')

export const wasm = {
  name: 'wasm',
  inputs: [at('assembly'), import.meta.filename],
  words: [toolVersion('assemblyscript')],
  outputs: [...Object.keys(VARIANTS).map(binary), INLINE],
  run: buildWasm,
}

async function buildWasm() {
  mkdirSync(at('build/wasm'), { recursive: true })
  await Promise.all(Object.entries(VARIANTS).map(compile))
  const constants = Object.keys(VARIANTS).map(variant => {
    return `export const ${variant}: string =\n  '${readFileSync(binary(variant)).toString('base64')}'\n`
  })
  writeWhole(INLINE, `// Made by scripts/build/wasm.mjs: the .wasm files as base64.\n${constants.join('')}`)
}

async function compile([variant, features]) {
  const args = [
    `assembly/${variant}.ts`,
    '--outFile',
    `build/wasm/${variant}.wasm`,
    '--enable',
    features,
    ...FLAGS,
  ]
  const { ok, text } = await run(process.execPath, [at('node_modules/assemblyscript/bin/asc.js'), ...args])
  writeWhole(at(`build/logs/wasm-${variant}.log`), text)
  if (!ok) throw new Failed(`${variant}: ${firstError(text)}`, text)
}
