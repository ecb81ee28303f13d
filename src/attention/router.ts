/**
 * Who runs a plan: the backend that was picked, or the reference where it has no kernel.
 * @module
 */
import type { Backend } from '../backends/backend.ts'
import type { Provider } from './api.ts'
import { Feature, type FeatureName, type Plan } from './plan.ts'

/** Names of what a plan asks for and a backend lacks; throws where no backend has it. */
export function missingFeatures(plan: Plan, { backend, reference }: Provider): FeatureName[] {
  const missing = plan.features & ~backend().features
  if (missing === 0) return []
  const names = (Object.keys(Feature) as FeatureName[]).filter(name => missing & Feature[name])
  const nowhere = names.find(name => ~reference().features & Feature[name])
  if (nowhere) {
    throw new RangeError(
      `precision: expected 'float32', got '${nowhere}': this version has no ${nowhere} kernels on any backend`,
    )
  }
  return names
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
