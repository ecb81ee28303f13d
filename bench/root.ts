/**
 * Where the package lies, seen from dist/bench or from the sources, and what of it is here.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest folder upwards whose package.json is ours. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'selfsame') return folder
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`no package.json of selfsame above ${import.meta.url}`)
    folder = parent
  }
}

/** The repository has the peers, the drawing libraries and a place for reports; the published package none of them. */
export function isRepository(): boolean {
  return existsSync(join(packageRoot(), 'bench'))
}

/** How the bench is called with options. */
export function benchCommand(): string {
  return isRepository() ? 'npm run bench --' : 'npx selfsame bench'
}
