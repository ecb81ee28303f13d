/**
 * An empty project that has installed the package from its tarball, with the programs of test/runtimes/apps in it.
 * @module
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsdown'
import { at } from '../build/paths.mjs'
import { packAndInstall } from '../pack/tarball.mjs'

/** Where the tests find it all. */
export const WORK = at('build/runtimes')

/**
 * Packs, installs, and lays the programs beside; returns `{ tarball, project, installed, files }`.
 * Each runtime is timed for so many milliseconds.
 */
export async function layProject(measureMs) {
  rmSync(WORK, { recursive: true, force: true })
  mkdirSync(WORK, { recursive: true })
  const packed = await packAndInstall(WORK)
  cpSync(at('test/runtimes/apps'), packed.project, { recursive: true })
  await bundleReport(packed.project, measureMs)
  return { ...packed, tarball: join(WORK, packed.filename) }
}

/** report.ts with the cases and the oracle, for engines that have neither Node nor its environment. */
async function bundleReport(folder, measureMs) {
  await build({
    config: false,
    entry: { report: at('test/runtimes/report.ts') },
    outDir: folder,
    platform: 'neutral',
    target: 'es2022',
    fixedExtension: true,
    define: {
      'process.env.SELFSAME_SEED': JSON.stringify(process.env.SELFSAME_SEED ?? '20261124'),
      'process.env.SELFSAME_MEASURE_MS': JSON.stringify(String(measureMs)),
    },
    dts: false,
    clean: false,
    logLevel: 'silent',
  })
}
