/**
 * The backends of this package, one contender for each and for every instruction set of the native one.
 * @module
 */
import type { Attention, info, load } from '../../src/index.ts'
import type { Contender, Prepared, Work } from '../contender.ts'
import { cacheOf, callOf, floatsOf } from './call.ts'

/** Instruction sets by the processors that can have them. */
const ISAS: Record<string, string[]> = {
  x64: ['avx512', 'avx2', 'scalar'],
  arm64: ['neon', 'scalar'],
}

interface Choice {
  backend: 'native' | 'wasm-relaxed' | 'wasm-simd' | 'reference'
  isa?: string
}

const CHOICES: readonly Choice[] = [
  ...(ISAS[process.arch] ?? ['scalar']).map((isa): Choice => ({ backend: 'native', isa })),
  { backend: 'wasm-relaxed' },
  { backend: 'wasm-simd' },
  { backend: 'reference' },
]

export const ownNames: readonly string[] = CHOICES.map(nameOf)

/** What a build of this package exports. */
export interface Entry {
  load: typeof load
  info: typeof info
}

export function ownContender(name: string, entry: Entry): Contender | undefined {
  const choice = CHOICES.find(candidate => nameOf(candidate) === name)
  if (!choice) return undefined
  return {
    name,
    available: async () => open(entry, choice, 1).reason,
    versions: async () => ({ selfsame: entry.info().version }),
    prepare: async work => prepare(entry, choice, work),
  }
}

function nameOf({ backend, isa }: Choice): string {
  return isa ? `${backend}-${isa}` : backend
}

async function prepare(entry: Entry, choice: Choice, work: Work): Promise<Prepared | string> {
  const { api, reason } = open(entry, choice, work.threads)
  if (!api) return reason
  const call = callOf(work)
  const { q, k, v, out, options } = call
  const cache = cacheOf(api, work, call)
  let planned: ReturnType<Attention['plan']>
  try {
    planned = cache ? api.plan(q, cache, options) : api.plan(q, k, v, options)
  } catch (error) {
    return (error as Error).message
  }
  // Another backend would take the call, and its time is not this one's.
  if (planned.backend !== choice.backend) return planned.reason
  const withOut = { ...options, out }
  const { kernel, tile, split } = planned
  // Threads of WebAssembly are workers, which serve calls off the event loop.
  const isAsync = work.threads > 1 && choice.backend.startsWith('wasm')
  const attend = isAsync ? api.attentionAsync : api.attention
  const run = cache ? () => attend(q, cache, withOut) : () => attend(q, k, v, withOut)
  return {
    run: isAsync ? async () => void (await run()) : () => void run(),
    output: () => floatsOf(out),
    how: `${kernel} ${tile.queries}x${tile.keys}${split > 1 ? `, ${split} parts` : ''}`,
  }
}

function open(
  entry: Entry,
  { backend, isa }: Choice,
  threads: number,
): { api: Attention; reason: undefined } | { api: undefined; reason: string } {
  try {
    return { api: entry.load({ backend, ...(isa && { isa }), threads }), reason: undefined }
  } catch (error) {
    // One line for every candidate; the reason of the one that was asked for is enough.
    const { message } = error as Error
    const line = message.split('\n').find(text => text.startsWith(`  ${backend}: `))
    return { api: undefined, reason: line?.slice(backend.length + 4) ?? message }
  }
}
