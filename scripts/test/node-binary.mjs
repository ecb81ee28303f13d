/**
 * Other versions of Node, from the npm packages that carry the plain binary and need no install script.
 * @module
 */
import { existsSync } from 'node:fs'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'

/** Path of a Node binary of this platform ('linux-x64') and major version; installed at the first use. */
export async function nodeBinary(platform, major) {
  const name = `node-${platform}`
  const folder = at('build/nodes', `${platform}-${major}`)
  const binary = `${folder}/node_modules/${name}/bin/node${platform.startsWith('win') ? '.exe' : ''}`
  if (existsSync(binary)) return binary
  // --force: npm refuses a package of another architecture, and this one may be for an emulator.
  const { ok, text } = await run('npm', [
    ...['install', '--prefix', folder, '--force', '--ignore-scripts', '--no-save', '--no-package-lock'],
    ...['--no-audit', '--no-fund', `${name}@${major}`],
  ])
  if (!ok || !existsSync(binary)) throw new Error(`cannot install ${name}@${major}:\n${text}`)
  return binary
}
