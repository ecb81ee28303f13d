/**
 * Which backend serves: the first in order of speed that opens, or the one that was asked for.
 * Every reason against a candidate is kept.
 * @module
 */
import type { Backend, BackendName } from './backend.ts'

/** A backend that may or may not run here. */
export interface Candidate {
  readonly name: BackendName
  /** Opens it; throws an Error whose message is the reason when it cannot run. */
  open(wish: Wish): Backend
}

/** What a caller or the environment asks for. */
export interface Wish {
  readonly backend?: BackendName | 'wasm'
  /** A native instruction set: 'avx512', 'avx2', 'neon', 'scalar'. */
  readonly isa?: string
  readonly threads?: number
}

/** What became of each candidate. */
export interface Verdict {
  readonly name: BackendName
  readonly ok: boolean
  readonly reason: string
}

export const BACKENDS = ['native', 'wasm', 'wasm-relaxed', 'wasm-simd', 'reference'] as const

/** The backend that serves, and on demand what became of every candidate. */
export interface Selection {
  readonly backend: Backend
  /** Opens the candidates that were not needed, to see whether they would run. */
  verdicts(): Verdict[]
}

/**
 * Opens the first candidate that fits the wish.
 * @throws Error that lists every reason when none does
 */
export function select(candidates: readonly Candidate[], wish: Wish): Selection {
  const refusals = new Map<BackendName, string>()
  for (const candidate of candidates) {
    const { name } = candidate
    const refusal = unwanted(name, wish)
    if (refusal) {
      refusals.set(name, refusal)
      continue
    }
    try {
      const backend = candidate.open(wish)
      return { backend, verdicts: () => candidates.map(other => judge(other, backend, refusals)) }
    } catch (error) {
      refusals.set(name, reasonOf(error))
    }
  }
  const wanted = Object.entries(wish).map(([key, value]) => `${key} '${value}'`)
  const reasons = [...refusals].map(([name, reason]) => `  ${name}: ${reason}`)
  throw new Error([`no backend fits ${wanted.join(', ') || 'this machine'}`, ...reasons].join('\n'))
}

function judge(
  candidate: Candidate,
  { name: picked, note }: Backend,
  refusals: ReadonlyMap<BackendName, string>,
): Verdict {
  const { name } = candidate
  if (name === picked) return { name, ok: true, reason: ['picked', note].filter(Boolean).join('; ') }
  const refusal = refusals.get(name)
  try {
    candidate.open({})
    return { name, ok: true, reason: `would run; ${refusal ?? `${picked} comes first`}` }
  } catch (error) {
    return { name, ok: false, reason: refusal ?? reasonOf(error) }
  }
}

/** Why a wish rules a candidate out before it is tried. */
function unwanted(name: BackendName, wish: Wish): string | undefined {
  const { backend, isa, threads = 1 } = wish
  const asked = backend === undefined || backend === name || (backend === 'wasm' && name.startsWith('wasm'))
  if (!asked) return `not asked for (backend '${backend}')`
  if (name === 'native') return undefined
  if (isa !== undefined)
    return `isa: expected a native instruction set of the native backend, got '${isa}' for ${name}`
  if (threads > 1 && name === 'reference')
    return `threads: expected 1, as backend ${name} has no threads, got ${threads}`
  return undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** SELFSAME_BACKEND, SELFSAME_ISA and SELFSAME_THREADS, for what the caller left open. */
export function wishFromEnvironment(asked: Wish): Wish {
  // An explicit WASM or reference backend must not trip over variables meant for the native one.
  const native = asked.backend === undefined || asked.backend === 'native'
  const backend = asked.backend ?? (asked.isa ? 'native' : readEnvironment('SELFSAME_BACKEND'))
  const isa = asked.isa ?? (native ? readEnvironment('SELFSAME_ISA') : undefined)
  const threads = asked.threads ?? (native ? readEnvironment('SELFSAME_THREADS') : undefined)
  return {
    ...(backend && { backend: checkBackend(backend) }),
    ...(isa && { isa }),
    ...(threads && { threads: checkThreads(threads) }),
  }
}

function checkBackend(value: string): NonNullable<Wish['backend']> {
  if ((BACKENDS as readonly string[]).includes(value)) return value as NonNullable<Wish['backend']>
  throw new RangeError(`SELFSAME_BACKEND: expected one of ${BACKENDS.join(', ')}, got '${value}'`)
}

function checkThreads(value: string | number): number {
  const threads = Number(value)
  if (Number.isInteger(threads) && threads >= 1 && threads <= 1024) return threads
  throw new RangeError(`SELFSAME_THREADS: expected an integer from 1 to 1024, got '${value}'`)
}

interface DenoPermissions {
  querySync(permission: { name: 'env'; variable: string }): { state: string }
}

/** A variable of the environment; in Deno only where reading it is granted, since asking would stop at a prompt. */
function readEnvironment(name: string): string | undefined {
  const { Deno, process } = globalThis as {
    Deno?: { permissions: DenoPermissions }
    process?: { env?: Record<string, string | undefined> }
  }
  if (Deno && Deno.permissions.querySync({ name: 'env', variable: name }).state !== 'granted')
    return undefined
  return process?.env?.[name] || undefined
}
