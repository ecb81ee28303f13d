/**
 * The table of platforms: every backend x instruction set x number of threads that this machine can run.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Attention } from '../../src/index.ts'
import { load } from '../../src/index.ts'

type LoadOptions = NonNullable<Parameters<typeof load>[0]>

export interface Platform {
  readonly name: string
  readonly backend: string
  readonly isa: string | undefined
  readonly threads: number
  /** Runs one number at a time, so it gets the smaller cases. */
  readonly slow: boolean
  open(): Attention
}

export interface Absent {
  readonly name: string
  readonly reason: string
}

const NATIVE_ISAS = ['avx512', 'avx2', 'neon', 'scalar'] as const

interface Row {
  backend: string
  isa?: string
  threads: number
}

function rows(): Row[] {
  const native = NATIVE_ISAS.flatMap(isa => [1, 2].map(threads => ({ backend: 'native', isa, threads })))
  const portable = ['wasm-relaxed', 'wasm-simd', 'reference'].map(backend => ({ backend, threads: 1 }))
  return [...native, ...portable]
}

function nameOf({ backend, isa, threads }: Row): string {
  return isa === undefined ? backend : `${backend}-${isa} t${threads}`
}

/** Opens each row of the table once; what fails is absent, with the reason the package gives. */
function survey(): { platforms: Platform[]; absent: Absent[] } {
  const platforms: Platform[] = []
  const absent: Absent[] = []
  for (const row of rows()) {
    const name = nameOf(row)
    try {
      const api = load(row as LoadOptions)
      api.info()
      const slow = row.backend === 'reference' || row.isa === 'scalar'
      platforms.push({
        name,
        backend: row.backend,
        isa: row.isa,
        threads: row.threads,
        slow,
        open: () => api,
      })
    } catch (error) {
      absent.push({ name, reason: reasonOf(row.backend, error as Error) })
    }
  }
  return { platforms, absent }
}

/** The message lists every candidate's reason; only the one that was asked for matters here. */
function reasonOf(backend: string, { message }: Error): string {
  const line = message.split('\n').find(text => text.startsWith(`  ${backend}: `))
  return line?.slice(backend.length + 4) ?? message
}

const surveyed: { platforms: Platform[]; absent: Absent[] } = survey()

export const platforms: readonly Platform[] = surveyed.platforms
export const absent: readonly Absent[] = surveyed.absent

/** Platforms without the second thread count, for tests where threads cannot matter. */
export const kernels: readonly Platform[] = platforms.filter(platform => platform.threads === 1)

/** Rows for `test.each(…)('%s', (_, platform) => …)`. */
export const namedKernels: readonly (readonly [string, Platform])[] = kernels.map(
  row => [row.name, row] as const,
)
export const namedPlatforms: readonly (readonly [string, Platform])[] = platforms.map(
  row => [row.name, row] as const,
)

/** Instruction sets of the native backend that this machine should have, asked of the system, not of the package. */
export function expectedIsas(): string[] {
  if (process.arch === 'arm64') return ['neon', 'scalar']
  if (process.arch !== 'x64') return []
  let flags = ''
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ['scalar']
  }
  const has = (...names: string[]): boolean => names.every(name => new RegExp(`\\b${name}\\b`).test(flags))
  const isas = ['scalar']
  if (has('avx2', 'fma')) isas.push('avx2')
  if (has('avx512f', 'avx512bw', 'avx512dq', 'avx512vl')) isas.push('avx512')
  return isas
}
