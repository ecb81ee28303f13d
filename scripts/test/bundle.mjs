/**
 * Programs of test/ as one file each, for runs outside of vitest.
 * @module
 */
import { build } from 'tsdown'
import { at } from '../build/paths.mjs'

/** Bundles a source of the repository; returns the path of the program, `<folder>/<name>.mjs`. */
export async function bundleProgram(source, folder, name) {
  await build({
    config: false,
    entry: { [name]: at(source) },
    outDir: folder,
    platform: 'node',
    target: 'node20',
    fixedExtension: true,
    dts: false,
    clean: false,
    logLevel: 'silent',
  })
  return `${folder}/${name}.mjs`
}
