/**
 * Each bundler as its users start it, from an entry to a folder. All run in the project that has the package.
 * @module
 */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, root, setting } from './setting.ts'

const { tools, nodes, project, installed } = setting
const COMPATIBILITY_DATE = '2026-11-01'

/** A worker; leaves worker.js and the .wasm files. */
export async function wrangler(entry: string, folder: string): Promise<void> {
  const bundle = ['deploy', entry, '--dry-run', '--outdir', folder, '--name', 'worker']
  await must(nodes['24'], [tools.wrangler, ...bundle, '--compatibility-date', COMPATIBILITY_DATE], {
    cwd: project,
    env: { WRANGLER_SEND_METRICS: 'false', CI: 'true' },
  })
}

/** A worker; the .wasm files stay modules of their own, beside it. */
export async function esbuildWorker(entry: string, folder: string): Promise<void> {
  const outfile = `--outfile=${join(folder, 'worker.js')}`
  const flags = ['--conditions=workerd', '--external:*.wasm?module']
  await must(tools.esbuild, [entry, '--bundle', '--format=esm', outfile, ...flags], { cwd: project })
  for (const name of ['simd.wasm', 'relaxed.wasm']) {
    cpSync(join(installed, 'dist', name), join(folder, `${name}?module`))
  }
}

export async function esbuild(entry: string, folder: string, platform: 'node' | 'browser'): Promise<void> {
  const flags = ['--bundle', '--format=esm', `--platform=${platform}`, `--outfile=${join(folder, 'app.mjs')}`]
  await must(tools.esbuild, [entry, ...flags], { cwd: project })
}

/** A page, from the index.html of a folder. */
export async function vite(from: string, folder: string): Promise<void> {
  const flags = ['--outDir', folder, '--emptyOutDir', '--logLevel', 'error']
  await must(process.execPath, [tools.vite, 'build', ...flags], { cwd: from })
}

export async function webpack(entry: string, folder: string, target: 'node' | 'web'): Promise<void> {
  const script = join(root, 'test/runtimes/webpack.mjs')
  await must(process.execPath, [script, entry, folder, target], { cwd: project })
}

/** As a library's or program's author runs it, with the package bundled in. */
export async function tsdown(entry: string, folder: string): Promise<void> {
  const config = join(folder, 'tsdown.config.mjs')
  const options = {
    entry: { app: entry },
    outDir: folder,
    platform: 'node',
    clean: false,
    dts: false,
    deps: { alwaysBundle: ['selfsame'] },
  }
  writeFileSync(config, `export default ${JSON.stringify(options)}\n`)
  await must(process.execPath, [join(root, 'node_modules/tsdown/dist/run.mjs'), '--config', config], {
    cwd: project,
  })
}
