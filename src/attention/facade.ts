/**
 * The public functions, bound to one backend. A call goes one way: options -> plan -> Backend.run.
 * @module
 */
import type { Backend, BackendName } from '../backends/backend.ts'
import { wrongType, wrongValue } from './check.ts'
import { describePlan, type PlanDescription } from './describe.ts'
import { mergePartials } from './merge.ts'
import { Feature, type FeatureName, Output, type Plan } from './plan.ts'
import { type Form, type Request, request } from './request.ts'
import type {
  AsyncOptions,
  AttentionOptions,
  Partial,
  Tensor,
  TensorLike,
  WeightsOptions,
  WeightsResult,
} from './types.ts'

/** Which backend serves, and why each other one does not. */
export interface Info {
  readonly backend: BackendName
  readonly isa: string
  readonly threads: number
  readonly version: string
  readonly candidates: readonly Candidate[]
}

export interface Candidate {
  readonly name: BackendName
  /** Whether it would run here. */
  readonly ok: boolean
  /** Why it was picked, passed over, or cannot run. */
  readonly reason: string
}

/** Where the functions get their backends from; opened at the first use, never at import. */
export interface Provider {
  readonly backend: () => Backend
  /** Serves the plans for which the backend has no kernel. */
  readonly reference: () => Backend
  readonly info: () => Info
}

/** The public functions, as `load()` returns them. */
export interface Attention {
  attention(q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions): Tensor
  attentionAsync(q: TensorLike, k: TensorLike, v: TensorLike, options?: AsyncOptions): Promise<Tensor>
  attentionPartial(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    options?: Omit<AttentionOptions, 'sinks'>,
  ): Partial
  attentionWeights(q: TensorLike, k: TensorLike, v: TensorLike, options?: WeightsOptions): WeightsResult
  mergePartials(parts: readonly Partial[], options?: { readonly sinks?: Float32Array }): Partial
  plan(q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions): PlanDescription
  info(): Info
}

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
  const { serve } = router(provider)

  return {
    attention(q, k, v, options) {
      const call = request(PLAIN, provider.backend(), q, k, v, options)
      serve(call.plan).run(call.plan, call.arrays)
      return call.output
    },

    async attentionAsync(q, k, v, options) {
      const signal = checkSignal(options?.signal)
      const call = request(ASYNC, provider.backend(), q, k, v, options)
      signal?.throwIfAborted()
      await serve(call.plan).runAsync(call.plan, call.arrays, signal)
      return call.output
    },

    attentionPartial(q, k, v, options) {
      refuseSinks(options)
      const call = request(PARTIAL, provider.backend(), q, k, v, options)
      serve(call.plan).run(call.plan, call.arrays)
      return { output: call.output, lse: call.lse!, ...(options?.layout && { layout: options.layout }) }
    },

    attentionWeights(q, k, v, options) {
      const call: Request = request(LOOKING, provider.backend(), q, k, v, options)
      serve(call.plan).run(call.plan, call.arrays)
      const { output, lse, weights, scores, mass } = call
      return {
        output,
        lse: lse!,
        ...(weights && { weights }),
        ...(scores && { scores }),
        ...(mass && { mass }),
      }
    },

    mergePartials,

    plan(q, k, v, options) {
      const backend = provider.backend()
      const call = request(PLAIN, backend, q, k, v, options)
      const missing = missingFeatures(call.plan, backend)
      refuse(call.plan, missing, provider.reference())
      return describePlan(call.plan, missing.length ? provider.reference() : backend, backend.name, missing)
    },

    info: () => provider.info(),
  }
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const fits =
    typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal
  if (!fits) throw wrongType('signal', 'an AbortSignal', signal)
  return signal as AbortSignal
}

function refuseSinks(options: object | undefined): void {
  const sinks = (options as AttentionOptions | undefined)?.sinks
  if (sinks !== undefined)
    throw wrongValue('sinks', 'no such option of a part: mergePartials applies sinks once, at the end', sinks)
}

/** Names of what a plan asks for and a backend lacks. */
function missingFeatures(plan: Plan, backend: Backend): FeatureName[] {
  const missing = plan.features & ~backend.features
  return missing === 0 ? [] : (Object.keys(Feature) as FeatureName[]).filter(name => missing & Feature[name])
}

function refuse(plan: Plan, missing: readonly FeatureName[], reference: Backend): void {
  const nowhere = missing.find(name => plan.features & ~reference.features & Feature[name])
  if (nowhere) {
    throw new RangeError(
      `precision: expected 'float32', got '${nowhere}': this version has no ${nowhere} kernels on any backend`,
    )
  }
}

/** Picks who runs a plan: the backend, or the reference with a warning, once per kind of plan. */
function router(provider: Provider): { serve(plan: Plan): Backend } {
  const warned = new Set<string>()
  return {
    serve(plan) {
      const backend = provider.backend()
      const missing = missingFeatures(plan, backend)
      if (missing.length === 0) return backend
      const reference = provider.reference()
      refuse(plan, missing, reference)
      const names = missing.join(', ')
      if (!warned.has(names)) {
        warned.add(names)
        warn(
          `${names}: backend ${backend.name} has no kernel for this yet; the reference backend runs it, slowly`,
        )
      }
      return reference
    },
  }
}

function warn(message: string): void {
  const { process } = globalThis as { process?: { emitWarning?: (message: string, name: string) => void } }
  if (process?.emitWarning) process.emitWarning(message, 'SelfsameWarning')
  else console.warn(`selfsame: ${message}`)
}
