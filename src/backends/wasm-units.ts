/**
 * How the scale reaches the kernels. Products of packed queries and keys carry its sign; its size makes them scores
 * in natural units, or goes straight into the exponent where nothing has to be added to scores.
 * @module
 */
import { Feature, type Plan } from '../attention/plan.ts'

/** Beyond it a float32 factor would be infinite, and no score is told from the greatest any more. */
const MOST_UNIT = 2 ** 126

/** 0 where the scale is nothing in float32: then all products are 0 already. */
export function signOf({ scale }: Plan): number {
  return Math.fround(scale) === 0 ? 0 : Math.sign(scale)
}

/** What makes a product a score in natural units. */
export function unitOf(plan: Plan): number {
  return signOf(plan) === 0 ? 1 : Math.min(Math.abs(plan.scale), MOST_UNIT)
}

/** The bound of softcap. Far outside of the scores it no longer matters what it is, but float32 must hold it. */
export function capOf({ softcap }: Plan): number {
  return Math.min(Math.max(softcap, 2 ** -100), 2 ** 100)
}

/** Whether scores are in natural units when they come to the softmax. */
function isShaped({ features }: Plan): boolean {
  return (features & (Feature.softcap | Feature.bias | Feature.alibi)) !== 0
}

/** What makes a score, as it comes to the softmax, one in natural units. */
export function scoreUnitOf(plan: Plan): number {
  return isShaped(plan) ? 1 : unitOf(plan)
}
