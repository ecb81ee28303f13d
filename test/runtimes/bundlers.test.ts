/**
 * A small program through every bundler, from the tarball, and run where it is meant to run.
 * @module
 */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { esbuild, esbuildWorker, tsdown, vite, webpack, wrangler } from './support/bundlers.ts'
import { BROWSER, distantFolder, emptyFolder, must, setting } from './support/setting.ts'
import { askWorker } from './support/workerd.ts'

const { project } = setting
const APP = join(project, 'app.mjs')
const PAGE = '<!doctype html>\n<meta charset="utf-8">\n<script type="module" src="./app.mjs"></script>\n'

/** Away from the package, as a deployed bundle is: then no addon is in reach, and WASM inside it must do. */
function isRight(text: string, backend = /^wasm-/): void {
  const { output, backend: picked } = JSON.parse(text)
  expect(output).toBe('5,6')
  expect(picked).toMatch(backend)
}

const forNode: [string, (folder: string) => Promise<void>, RegExp?][] = [
  ['esbuild', folder => esbuild(APP, folder, 'node')],
  // webpack writes the place of the package into the bundle, so its addon stays in reach on this machine.
  ['webpack', folder => webpack(APP, folder, 'node'), /^(native|wasm-.*)$/],
  ['tsdown', folder => tsdown(APP, folder)],
]
test.each(forNode)('%s, for Node', async (_, build, backend) => {
  const folder = distantFolder()
  await build(folder)
  isRight(await must(process.execPath, [join(folder, 'app.mjs')]), backend)
})

const forBrowsers: [string, (folder: string) => Promise<void>][] = [
  ['esbuild', folder => esbuild(APP, folder, 'browser')],
  ['webpack', folder => webpack(APP, folder, 'web')],
  ['vite', buildPage],
]
test.each(forBrowsers)('%s, for browsers', async (name, build) => {
  const folder = emptyFolder(`${name}-page`)
  await build(folder)
  if (name !== 'vite') writeFileSync(join(folder, 'index.html'), PAGE)
  isRight(await must(process.execPath, [BROWSER, folder]))
})

async function buildPage(folder: string): Promise<void> {
  const source = join(project, 'vite-app')
  emptyFolder('project/vite-app')
  writeFileSync(join(source, 'index.html'), PAGE)
  cpSync(APP, join(source, 'app.mjs'))
  await vite(source, folder)
}

const forWorkers: [string, typeof wrangler][] = [
  ['wrangler', wrangler],
  ['esbuild', esbuildWorker],
]
test.each(forWorkers)('%s, for workerd', async (name, build) => {
  const folder = emptyFolder(`${name}-app-worker`)
  await build(join(project, 'app-worker.mjs'), folder)
  // wrangler names the bundle after its entry.
  const main = name === 'wrangler' ? 'app-worker.js' : 'worker.js'
  isRight(await askWorker(folder, main))
})
