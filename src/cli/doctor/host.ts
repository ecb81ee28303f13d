/**
 * Where the package runs: the runtime, the platform, its C library, and the binaries that are there.
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Host {
  /** 'Node 20.20.2' */
  readonly runtime: string
  /** 'linux-x64' */
  readonly platform: string
  /** 'glibc 2.36', 'musl', or nothing where it does not matter or is not known. */
  readonly libc: string
  /** The platforms that the package has a binary for: 'linux-x64', 'linux-x64-musl', … */
  readonly binaries: readonly string[]
  /** What the binary of this platform really is: 'linux-arm64', 'no binary' …; nothing where it is missing. */
  readonly binaryIs: string | undefined
}

export function readHost(): Host {
  const platform = `${process.platform}-${process.arch}`
  const libc = readLibc()
  const own = platform + (libc === 'musl' ? '-musl' : '')
  return { runtime: readRuntime(), platform, libc, binaries: readBinaries(), binaryIs: kindOf(own) }
}

function readRuntime(): string {
  const { versions } = process
  const name = (['bun', 'deno'] as const).find(other => versions[other] !== undefined)
  if (name) return `${name[0].toUpperCase()}${name.slice(1)} ${versions[name]}`
  return `${versions.electron ? `Electron ${versions.electron}, ` : ''}Node ${versions.node}`
}

function readLibc(): string {
  if (process.platform !== 'linux') return ''
  try {
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
    if (header?.glibcVersionRuntime) return `glibc ${header.glibcVersionRuntime}`
    return readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-') ? 'musl' : ''
  } catch {
    return '' // not told here, and then no advice depends on it
  }
}

const folder = new URL('../prebuilds/', import.meta.url)

function readBinaries(): string[] {
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith('.node'))
      .map(name => basename(name, '.node'))
      .sort()
  } catch {
    return [] // none were packed, or reading is not allowed
  }
}

/** The machine and format in the first bytes of the binary of this name. */
function kindOf(name: string): string | undefined {
  const bytes = Buffer.alloc(4096)
  try {
    const file = openSync(fileURLToPath(new URL(`${name}.node`, folder)), 'r')
    readSync(file, bytes)
    closeSync(file)
  } catch {
    return undefined
  }
  const known = (code: number, machines: Record<number, string>): string =>
    machines[code] ?? 'another processor'
  if (bytes.readUInt32BE(0) === 0x7f454c46)
    return `linux-${known(bytes.readUInt16LE(18), { 62: 'x64', 183: 'arm64' })}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `darwin-${known(bytes.readUInt32LE(4), { 16777223: 'x64', 16777228: 'arm64' })}`
  const header = bytes.readUInt32LE(0x3c)
  if (bytes.readUInt16LE(0) === 0x5a4d && header < 4000)
    return `win32-${known(bytes.readUInt16LE(header + 4), { 34404: 'x64', 43620: 'arm64' })}`
  return 'no binary at all'
}
