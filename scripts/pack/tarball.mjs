/**
 * The package as it would be published, and an empty project that has installed it.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../build/paths.mjs'
import { run } from '../build/run.mjs'

/** Packs and installs below `folder`; returns the tarball's name, the packed files and the project's folder. */
export async function packAndInstall(folder) {
  const [{ filename, files }] = JSON.parse(
    await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  )
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  // Offline: the core has no dependencies. Scripts are not ignored: there must be none to run.
  await npm(['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], project)
  return {
    filename,
    files: files.map(file => file.path),
    project,
    installed: join(project, 'node_modules/selfsame'),
  }
}

async function npm(args, cwd) {
  const { ok, text, stdout } = await run('npm', args, { cwd })
  if (!ok) throw new Error(`npm ${args[0]} failed:\n${text}`)
  return stdout
}
