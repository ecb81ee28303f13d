/**
 * The budget of errors: at most twice what a naive float32 evaluation makes, plus 1e-6 of the row's scale.
 * @module
 */
import { halfUlp } from '../oracle/half.ts'

const FLOOR = 1e-6

/** What the oracle says about one array of numbers. */
export interface Truth {
  exact: ArrayLike<number>
  /** Naive float32 evaluations; the largest error of any counts. */
  naive: ArrayLike<number>[]
  scale: ArrayLike<number>
}

/** Says what is wrong with `got`, or nothing. Errors are relative to the scale, the largest one counts. */
export function compare(
  label: string,
  got: ArrayLike<number>,
  { exact, naive, scale }: Truth,
  type?: string,
): string | undefined {
  if (got.length !== exact.length) return `${label}: ${got.length} numbers instead of ${exact.length}`
  let naiveError = 0
  for (let i = 0; i < exact.length; i++) {
    if (Number.isFinite(exact[i]) && scale[i] > 0) {
      for (const numbers of naive)
        naiveError = Math.max(naiveError, Math.abs(numbers[i] - exact[i]) / scale[i])
    }
  }
  const budget = 2 * naiveError + FLOOR
  let worst = 0
  let worstAt = -1
  for (let i = 0; i < exact.length; i++) {
    if (!Number.isFinite(exact[i]) || !(scale[i] > 0)) {
      if (Object.is(got[i], exact[i]) || got[i] === exact[i]) continue
      return `${label}[${i}]: ${got[i]} instead of exactly ${exact[i]}`
    }
    const error = Math.max(Math.abs(got[i] - exact[i]) - halfUlp(type, exact[i]), 0) / scale[i]
    if (!Number.isFinite(error)) return `${label}[${i}]: ${got[i]} instead of ${exact[i]}`
    if (error > worst) {
      worst = error
      worstAt = i
    }
  }
  if (worst <= budget) return undefined
  const figures = `error ${worst.toExponential(2)} over the budget of ${budget.toExponential(2)}`
  return `${label}[${worstAt}]: ${got[worstAt]} instead of ${exact[worstAt]}: ${figures} (relative to the row's scale)`
}

/**
 * Says where two float32 arrays first differ in their bits, or nothing. NaN has no bits of its own: JavaScript
 * and WASM leave its sign and payload to the engine, and Node 26 gives either, run by run.
 */
export function compareBits(label: string, a: Float32Array, b: Float32Array): string | undefined {
  if (a.length !== b.length) return `${label}: ${a.length} numbers against ${b.length}`
  const aBits = new Uint32Array(a.buffer, a.byteOffset, a.length)
  const bBits = new Uint32Array(b.buffer, b.byteOffset, b.length)
  for (let i = 0; i < aBits.length; i++) {
    if (aBits[i] === bBits[i] || (Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue
    return `${label}[${i}]: ${a[i]} and ${b[i]} differ in their bits`
  }
  return undefined
}
