/**
 * Who runs a plan: the backend that was picked, or the reference where it has no kernel.
 * @module
 */
import type { Backend } from '../backends/backend.ts'
import type { Provider } from './api.ts'
import { Feature, type FeatureName, type Plan, QUANTISED } from './plan.ts'

/** What the kernels of a precision need. */
const NEEDS = {
  int16: 'a WASM backend, or the native one with AVX2, or with AVX-512 and a CPU that has AVX512_VNNI',
  bfloat16: 'the native backend with AVX-512 and a CPU that has AVX512_BF16',
  int8: 'the native backend with AVX-512 and a CPU that has AVX512_VNNI',
} as const

/** Names of what a plan asks for and a backend lacks; throws where it is a precision, which nothing stands in for. */
export function missingFeatures(plan: Plan, { backend }: Provider): FeatureName[] {
  const missing = plan.features & ~backend().features
  if (missing === 0) return []
  if (missing & QUANTISED) throw lacksPrecision(missing, backend())
  return (Object.keys(Feature) as FeatureName[]).filter(name => missing & Feature[name])
}

function lacksPrecision(missing: number, { name, isa, features }: Backend): RangeError {
  const precisions = Object.keys(NEEDS) as (keyof typeof NEEDS)[]
  const wanted = precisions.find(precision => missing & Feature[precision])!
  const there = ['float32', ...precisions.filter(precision => features & Feature[precision])]
  const list = there.map(precision => `'${precision}'`).join(', ')
  return new RangeError(
    `precision: expected one of ${list}, which backend ${name} (${isa}) has here, got '${wanted}', which needs ${NEEDS[wanted]}`,
  )
}

/** Picks who runs a plan; warns of the reference once per kind of plan. */
export function router(provider: Provider): (plan: Plan) => Backend {
  const warned = new Set<string>()
  return plan => {
    const backend = provider.backend()
    const missing = missingFeatures(plan, provider)
    if (missing.length === 0) return backend
    const names = missing.join(', ')
    if (!warned.has(names)) {
      warned.add(names)
      warn(
        `${names}: backend ${backend.name} has no kernel for this yet; the reference backend runs it, slowly`,
      )
    }
    return provider.reference()
  }
}

function warn(message: string): void {
  const { process } = globalThis as { process?: { emitWarning?: (message: string, name: string) => void } }
  if (process?.emitWarning) process.emitWarning(message, 'SelfsameWarning')
  else console.warn(`selfsame: ${message}`)
}
