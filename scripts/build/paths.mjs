/**
 * Where things are.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** An absolute path inside the repository. */
export const at = (...parts) => join(root, ...parts)

/** The installed version of a development tool, or undefined. */
export function toolVersion(name) {
  const manifest = at('node_modules', name, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined
}
