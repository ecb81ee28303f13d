/**
 * Where the addon is, and whether this runtime lets it in. Modules of Node are asked for at run time,
 * so bundlers for browsers and edge hosts have nothing to trip over.
 * @module
 */

interface Builtins {
  'node:fs': typeof import('node:fs')
  'node:module': typeof import('node:module')
  'node:path': typeof import('node:path')
  'node:url': typeof import('node:url')
}

interface Host {
  process?: {
    platform: string
    arch: string
    getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined
  }
  Deno?: { permissions: { querySync(permission: { name: string; path?: string }): { state: string } } }
}

const { process, Deno } = globalThis as Host

/** The name in the package.json of the folder that holds the binaries. */
const PACKAGE = 'selfsame'

/**
 * Loads the addon.
 * @throws Error whose message is the reason, in one line
 */
export function loadAddon(): unknown {
  const { createRequire } = builtin('node:module')
  const { join } = builtin('node:path')
  const here: string | undefined = import.meta.url
  if (!here?.startsWith('file:'))
    throw new Error('native addons are loaded from files, and this module is none')
  const root = packageRoot(builtin('node:url').fileURLToPath(here))
  mayLoadFrom(root)
  const names = binaries(root)
  const name = names.find(candidate => builtin('node:fs').existsSync(join(root, candidate)))
  if (name === undefined) throw new Error(`not built (npm run build): no ${names.join(', no ')}`)
  try {
    return createRequire(here)(join(root, name))
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new Error(`${name} does not load: ${line}`)
  }
}

/** The nearest folder above a file that is this package. */
function packageRoot(file: string): string {
  const { dirname, join } = builtin('node:path')
  for (let folder = dirname(file), child = file; folder !== child; child = folder, folder = dirname(folder)) {
    mayLoadFrom(folder)
    if (nameOf(join(folder, 'package.json')) === PACKAGE) return folder
  }
  throw new Error(`no folder above ${file} is the package ${PACKAGE}, so its binaries are out of reach`)
}

function nameOf(manifest: string): unknown {
  try {
    return JSON.parse(builtin('node:fs').readFileSync(manifest, 'utf8')).name
  } catch {
    return undefined // no such file here: the search goes on above
  }
}

/** Own build first, then what the package was published with. */
function binaries(root: string): string[] {
  const { platform, arch } = process!
  const libc = platform === 'linux' && usesMusl(root) ? '-musl' : ''
  return ['build/Release/selfsame.node', `prebuilds/${platform}-${arch}${libc}.node`]
}

/** Whether this process runs on musl, by the loader in its own memory map. */
function usesMusl(root: string): boolean {
  const { existsSync, readFileSync } = builtin('node:fs')
  if (!existsSync(builtin('node:path').join(root, 'prebuilds'))) return false
  try {
    return readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-')
  } catch {
    return false
  }
}

/** Deno would stop at a prompt for what is not granted: better to go without than to ask. */
function mayLoadFrom(folder: string): void {
  if (!Deno) return
  const { state: ffi } = Deno.permissions.querySync({ name: 'ffi' })
  const { state: read } = Deno.permissions.querySync({ name: 'read', path: folder })
  if (ffi !== 'granted' || read !== 'granted') {
    throw new Error('Deno loads native addons only with --allow-ffi and --allow-read')
  }
}

function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const module = process?.getBuiltinModule?.(name)
  if (!module) throw new Error('this runtime loads no native addons')
  return module
}
