/**
 * The public functions, bound to one backend. A call goes one way: options -> plan -> Backend.run.
 * @module
 */
import type { Attention, Provider } from './api.ts'
import { KvCache } from './cache/kv-cache.ts'
import { wrongType, wrongValue } from './check.ts'
import { describePlan } from './describe.ts'
import { mergePartials } from './merge.ts'
import { type Arguments, type Call, readCall } from './operands.ts'
import { Output } from './plan.ts'
import { Repeats } from './repeat.ts'
import { type Form, type Request, request } from './request.ts'
import { missingFeatures, router } from './router.ts'
import type { AsyncOptions, AttentionOptions, Partial } from './types.ts'

const NAMES = [
  'heads',
  'kvHeads',
  'layout',
  'scale',
  'softcap',
  'causal',
  'queryOffset',
  'window',
  'keep',
  'drop',
  'bias',
  'alibi',
  'sinks',
  'keyLengths',
  'queryLengths',
  'leftPad',
  'cuSeqlens',
  'out',
  'precision',
  'threads',
] as const satisfies readonly (keyof AttentionOptions)[]

const PLAIN: Form = { names: new Set(NAMES), outputs: Output.output }
const ASYNC: Form = { names: new Set([...NAMES, 'signal']), outputs: Output.output }
const PARTIAL: Form = { names: new Set(NAMES), outputs: Output.output | Output.lse, float32: true }
const LOOKING: Form = {
  names: new Set([...NAMES, 'want', 'scoresAt', 'rows']),
  outputs: Output.output | Output.lse,
}

/** Binds the public functions to a provider of backends. */
export function bind(provider: Provider): Attention {
  const serve = router(provider)
  // Before a call is laid out, as its arrays are those of the cache; what runs nothing moves nothing.
  const settle = ({ keys }: Call): void => {
    if ('pool' in keys) keys.pool.settle(provider.backend().storage)
  }
  const run = (form: Form, call: Call): Request => {
    settle(call)
    const checked = request(form, provider.backend(), call)
    serve(checked.plan).run(checked.plan, checked.arrays)
    return checked
  }

  const repeats = new Repeats(PLAIN.names)
  return {
    attention(q: unknown, k: unknown, v?: unknown, options?: unknown) {
      const again = repeats.run(q, k, v, options)
      if (again) return again
      const checked = run(PLAIN, readCall(q, k, v, options))
      repeats.keep(q, k, v, options, checked, serve(checked.plan))
      return checked.output
    },

    async attentionAsync(...args: Arguments) {
      const call = readCall(...args)
      const signal = checkSignal(optionOf(call, 'signal'))
      settle(call)
      const { plan, arrays, output, table } = request(
        ASYNC,
        { ...provider.backend(), ...provider.backend().async },
        call,
      )
      signal?.throwIfAborted()
      // Held as by a fork: whatever becomes of the cache meanwhile, these pages stay what they are.
      const held = table?.fork()
      try {
        await serve(plan).runAsync(plan, arrays, signal)
      } finally {
        held?.clear()
      }
      return output
    },

    attentionPartial(...args: Arguments) {
      const call = readCall(...args)
      refuseSinks(optionOf(call, 'sinks'))
      const { output, lse } = run(PARTIAL, call)
      const layout = optionOf(call, 'layout') as Partial['layout']
      return { output, lse: lse!, ...(layout && { layout }) }
    },

    attentionWeights(...args: Arguments) {
      const { output, lse, weights, scores, mass } = run(LOOKING, readCall(...args))
      return {
        output,
        lse: lse!,
        ...(weights && { weights }),
        ...(scores && { scores }),
        ...(mass && { mass }),
      }
    },

    mergePartials,

    plan(...args: Arguments) {
      const backend = provider.backend()
      const { plan } = request(PLAIN, backend, readCall(...args))
      const missing = missingFeatures(plan, provider)
      return describePlan(plan, missing.length ? provider.reference() : backend, backend.name, missing)
    },

    info: () => provider.info(),

    KvCache,
  }
}

/** An option of a call whose options have not been checked yet. */
function optionOf({ options }: Call, name: keyof AsyncOptions): unknown {
  return (options as AsyncOptions | null | undefined)?.[name]
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const fits =
    typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal
  if (!fits) throw wrongType('signal', 'an AbortSignal', signal)
  return signal as AbortSignal
}

function refuseSinks(sinks: unknown): void {
  if (sinks !== undefined)
    throw wrongValue('sinks', 'no such option of a part: mergePartials applies sinks once, at the end', sinks)
}
