/**
 * What to do about each reason for which a backend is refused. The reasons are those of src/backends and, behind
 * "does not load", those of the system's loader.
 * @module
 */
import type { Host } from './host.ts'

type Remedy = string | ((host: Host) => string | undefined)

const REINSTALL = 'remove node_modules/selfsame and install it again on this machine'

/** The first pattern that fits decides. */
const NATIVE: [RegExp, Remedy][] = [
  [/^not asked for/, 'unset SELFSAME_BACKEND to let the fastest serve'],
  [
    /^Deno loads native addons only/,
    'add --allow-ffi --allow-read to deno run; without them WebAssembly serves, and nothing is asked',
  ],
  [
    /loading addons is disabled|ERR_DLOPEN_DISABLED/i,
    'start Node without --no-addons; under --permission add --allow-addons',
  ],
  [
    /has been restricted|ERR_ACCESS_DENIED/i,
    'under --permission let Node read the folder of the package (--allow-fs-read)',
  ],
  [
    /no folder above .* is the package|and this module is none/,
    'mark selfsame as external in your bundler, or leave it: WebAssembly is in the bundle',
  ],
  [/^not built/, missing],
  [
    /version `?(GLIBC|GLIBCXX|CXXABI)_/,
    ({ libc }) =>
      `the binary needs a newer C library than ${libc || 'this one'}: use a newer system, or build from the repository (npm run build)`,
  ],
  [/does not load/, broken],
  [/of another version than this package/, REINSTALL],
]

const WASM: [RegExp, Remedy][] = [
  [
    /no WebAssembly relaxed SIMD/,
    'Node 22 or later has it, and so have Deno, Bun, Chrome 114 and Firefox 146',
  ],
  [
    /no WebAssembly SIMD|no WebAssembly$/,
    'use an engine with WebAssembly SIMD: Node 20, any browser since 2023',
  ],
]

/** Undefined where nothing can be done, as about a processor. */
export function remedyFor(backend: string, reason: string, host: Host): string | undefined {
  const table = backend === 'native' ? NATIVE : WASM
  const found = table.find(([pattern]) => pattern.test(reason))?.[1]
  return typeof found === 'function' ? found(host) : found
}

function missing({ platform, binaries }: Host): string | undefined {
  const here = binaries.filter(name => name.startsWith(platform))
  if (here.length > 0)
    return `the package has ${here.join(', ')} but not what this C library needs: ${REINSTALL}`
  if (binaries.length === 0)
    return `this copy of the package has no binaries at all: ${REINSTALL}, or build it (npm run build)`
  return undefined // no binary is published for this platform: WebAssembly is what it gets
}

function broken({ platform, binaryIs }: Host): string {
  if (binaryIs && !platform.startsWith(binaryIs)) {
    return `the file is ${binaryIs}, and this is ${platform}: ${REINSTALL} (was node_modules copied from another one?)`
  }
  return `the file is damaged or does not fit this system: ${REINSTALL}`
}
