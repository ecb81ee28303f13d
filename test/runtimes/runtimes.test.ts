/**
 * Every runtime: which backend it takes, the conformance cases, the error at bert-512 and its speed.
 * What each said is kept in build/runtimes/reports; the table of the README is made of it.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Report } from './report.ts'
import { esbuildWorker, vite, wrangler } from './support/bundlers.ts'
import { BROWSER, emptyFolder, must, run, setting, work } from './support/setting.ts'
import { askWorker } from './support/workerd.ts'

const { tools, nodes, project } = setting
const PROGRAM = join(project, 'process.mjs')
/** Of relative error at bert-512; float32 itself, step by step, makes about as much. */
const MOST_ERROR = 4e-6

function keep(name: string, version: string, report: Report, backend: RegExp): void {
  const folder = join(work, 'reports')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ name, version, ...report }))
  expect(report.failures).toEqual([])
  expect(report.cases).toBeGreaterThan(100)
  expect(report.info.backend).toMatch(backend)
  expect(report.error).toBeLessThan(MOST_ERROR)
  expect(report.gflops).toBeGreaterThan(0)
}

const reasonOf = ({ info }: Report, name: string): string =>
  info.candidates.find(candidate => candidate.name === name)!.reason

const { arm64: _qemu, windows: _wine, ...natives } = nodes
test.each(Object.entries(natives))('Node %s takes native', async (_, node) => {
  const version = (await must(node, ['--version'])).trim().slice(1)
  const report = JSON.parse(await must(node, [PROGRAM]))
  keep(`Node ${version.split('.')[0]}`, version, report, /^native$/)
})

test('Node with WASM alone', async () => {
  for (const major of ['own', '24'] as const) {
    const version = (await must(nodes[major], ['--version'])).trim().slice(1)
    const report = JSON.parse(await must(nodes[major], ['--no-addons', PROGRAM]))
    keep(
      `Node ${version.split('.')[0]}, WASM`,
      version,
      report,
      major === 'own' ? /^wasm-simd$/ : /^wasm-relaxed$/,
    )
  }
})

const denoVersion = async () => (await must(tools.deno, ['--version'])).split(' ')[1]

test('Deno with --allow-ffi takes native', async () => {
  const report = JSON.parse(
    await must(tools.deno, ['run', '--allow-ffi', '--allow-read', '--allow-env', PROGRAM]),
  )
  keep('Deno, --allow-ffi', await denoVersion(), report, /^native$/)
})

test('Deno without permissions takes WASM, and asks for nothing even at a terminal', async () => {
  // `script` gives it a terminal; nobody answers, so a prompt would stand until the timeout.
  const command = `'${tools.deno}' run '${PROGRAM}'`
  const { code, stdout } = await run('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    timeout: 60_000,
  })
  expect(stdout).not.toMatch(/requests|allow\?/i)
  expect(code).toBe(0)
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')))
  keep('Deno', await denoVersion(), report, /^wasm-relaxed$/)
  expect(reasonOf(report, 'native')).toMatch(/--allow-ffi/)
})

test('Bun takes native', async () => {
  const version = (await must(tools.bun, ['--version'])).trim()
  keep('Bun', version, JSON.parse(await must(tools.bun, [PROGRAM])), /^native$/)
})

const workerdVersion = async () => (await must(tools.workerd, ['--version'])).split(' ')[1].trim()

test('workerd, bundled by wrangler', async () => {
  const folder = emptyFolder('wrangler')
  await wrangler(join(project, 'worker.mjs'), folder)
  const report = JSON.parse(await askWorker(folder, 'worker.js'))
  keep('workerd', await workerdVersion(), report, /^wasm-relaxed$/)
})

test('workerd, bundled by esbuild', async () => {
  const folder = emptyFolder('esbuild-worker')
  await esbuildWorker(join(project, 'worker.mjs'), folder)
  const report = JSON.parse(await askWorker(folder, 'worker.js'))
  keep('workerd, by esbuild', await workerdVersion(), report, /^wasm-relaxed$/)
})

test('Chromium, a page built by Vite, plain and cross-origin isolated', async () => {
  const folder = emptyFolder('page')
  await vite(project, folder)
  for (const isolated of [false, true]) {
    const flags = isolated ? ['--isolated'] : []
    const text = await must(process.execPath, [BROWSER, folder, ...flags])
    const { version, ...report } = JSON.parse(text)
    expect(report.isolated).toBe(isolated)
    keep(isolated ? 'Chromium, isolated' : 'Chromium', version, report, /^wasm-relaxed$/)
  }
})
