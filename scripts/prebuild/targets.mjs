/**
 * The platforms that the package carries a binary for, and what each binary must be.
 * @module
 */

/**
 * `zig` is the target in zig's words: the oldest glibc that a binary must run on is part of it.
 * `format` and `machine` are what `inspect.mjs` must find in the finished file.
 */
export const TARGETS = [
  { name: 'linux-x64', zig: 'x86_64-linux-gnu.2.17', format: 'ELF', machine: 'x64' },
  { name: 'linux-arm64', zig: 'aarch64-linux-gnu.2.17', format: 'ELF', machine: 'arm64' },
  { name: 'linux-x64-musl', zig: 'x86_64-linux-musl', format: 'ELF', machine: 'x64' },
  { name: 'linux-arm64-musl', zig: 'aarch64-linux-musl', format: 'ELF', machine: 'arm64' },
  { name: 'darwin-x64', zig: 'x86_64-macos.11.0', format: 'Mach-O', machine: 'x64' },
  { name: 'darwin-arm64', zig: 'aarch64-macos.11.0', format: 'Mach-O', machine: 'arm64' },
  { name: 'win32-x64', zig: 'x86_64-windows-gnu', format: 'PE', machine: 'x64' },
]

/** Nothing newer than this may be asked of glibc: that of CentOS 7, the oldest that Node 20 itself is told to run on. */
export const OLDEST_GLIBC = '2.17'

/**
 * The targets of these names.
 * @throws Error that lists what there is
 */
export function targetsOf(names) {
  const all = TARGETS.map(({ name }) => name)
  const unknown = names.filter(name => !all.includes(name))
  if (unknown.length > 0) throw new Error(`no target ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return names.length === 0 ? TARGETS : TARGETS.filter(({ name }) => names.includes(name))
}
