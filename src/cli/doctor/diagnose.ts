/**
 * From what the package says about its backends to what a person can do about it.
 * @module
 */
import type { info } from '../../index.ts'
import type { Host } from './host.ts'
import { remedyFor } from './remedies.ts'

type Info = ReturnType<typeof info>

export interface Finding {
  readonly name: string
  readonly state: 'serves' | 'would serve' | 'refused'
  readonly reason: string
  /** What to do about it; absent where nothing can be done, or nothing need be. */
  readonly remedy?: string
}

export interface Diagnosis {
  /** The backend that serves, if one does. */
  readonly backend?: string
  readonly isa?: string
  readonly threads?: number
  readonly findings: readonly Finding[]
  readonly verdict: string
  readonly code: 0 | 1 | 2
}

/** `open` opens the package and says whether it computes right; it throws where nothing fits what was asked for. */
export function diagnose(open: () => { info: Info; computes: boolean }, host: Host): Diagnosis {
  let opened: ReturnType<typeof open>
  try {
    opened = open()
  } catch (error) {
    return nothingServes(error instanceof Error ? error.message : String(error), host)
  }
  const { backend, isa, threads, candidates } = opened.info
  const picked = candidates.findIndex(({ name }) => name === backend)
  const findings = candidates.map(({ name, ok, reason }, place): Finding => {
    if (place === picked) return { name, state: 'serves', reason }
    if (ok) return { name, state: 'would serve', reason }
    // What is slower than the one that serves need not be mended.
    return place < picked ? refused(name, reason, host) : { name, state: 'refused', reason }
  })
  const shared = { backend, isa, threads, findings }
  const detail = backend === 'native' ? ` (${isa}, ${threads} ${threads > 1 ? 'threads' : 'thread'})` : ''
  const on = `on ${backend}${detail}`
  if (!opened.computes)
    return { ...shared, code: 2, verdict: `attention gives a WRONG result ${on}: report it, with this text.` }
  const works = `attention works here, ${on}.`
  if (findings.some(({ remedy }) => remedy))
    return { ...shared, code: 1, verdict: `${works} A faster backend could serve: see what to do.` }
  return {
    ...shared,
    code: 0,
    verdict: picked > 0 ? `${works} Nothing faster runs on this machine as it is.` : works,
  }
}

function refused(name: string, reason: string, host: Host): Finding {
  const remedy = remedyFor(name, reason, host)
  return { name, state: 'refused', reason, ...(remedy && { remedy }) }
}

/** The message lists every candidate in a line of its own, below one that says what was asked for. */
function nothingServes(message: string, host: Host): Diagnosis {
  const [first, ...lines] = message.split('\n')
  const findings = lines.flatMap(line => {
    const [, name, reason] = /^ {2}([\w-]+): (.*)$/.exec(line) ?? []
    return name ? [refused(name, reason, host)] : []
  })
  const asked = /SELFSAME_\w+|backend '|isa '|threads '/.test(first)
  const advice = asked
    ? ' Unset what asks for it in the environment (SELFSAME_BACKEND, SELFSAME_ISA, SELFSAME_THREADS).'
    : ''
  return { findings, code: 2, verdict: `attention does not work here: ${first}.${advice}` }
}
