/**
 * Sizes that have a budget.
 * @module
 */
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsdown'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'
import { firstInPath } from '../build/toolchain.mjs'

/** Stands in for the base64 of the WASM files. */
const withoutWasm = {
  name: 'without-wasm',
  load: id =>
    id.endsWith('wasm-inline.generated.ts')
      ? "export const simd = ''\nexport const relaxed = ''\n"
      : undefined,
}

/** Bytes of the core entry, minified, without the inlined WASM. */
export async function minifiedCore(folder) {
  await build({
    config: false,
    entry: { core: at('src/index.ts') },
    outDir: folder,
    platform: 'neutral',
    target: 'es2022',
    fixedExtension: false,
    minify: true,
    dts: false,
    clean: false,
    logLevel: 'silent',
    plugins: [withoutWasm],
  })
  return readFileSync(join(folder, 'core.js')).length
}

/** Bytes of the addon without symbols; undefined where it is not built or cannot be stripped. */
export async function strippedAddon(folder) {
  const addon = at('build/Release/selfsame.node')
  if (!existsSync(addon) || !firstInPath(['strip'])) return undefined
  const copy = join(folder, 'selfsame.node')
  copyFileSync(addon, copy)
  const { ok } = await run('strip', process.platform === 'darwin' ? ['-x', copy] : [copy])
  return ok ? statSync(copy).size : undefined
}
