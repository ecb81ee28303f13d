/**
 * The numbers of a comparison: largest difference, shortest time, and input to try.
 * @module
 */

/** Largest absolute difference of two arrays; NaN if anything in them is. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`b: expected ${a.length} numbers, got ${b.length}`)
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]))
  return largest
}

/** Shortest time of a run, in milliseconds; repeats until `budgetMs` are spent, so the first, cold one seldom counts. */
export function shortestTime(run: () => void, budgetMs: number): number {
  let shortest = Number.POSITIVE_INFINITY
  const end = performance.now() + budgetMs
  do {
    const start = performance.now()
    run()
    shortest = Math.min(shortest, performance.now() - start)
  } while (performance.now() < end)
  return shortest
}

/** Normally distributed numbers, the same for the same seed. */
export function randomNormal(count: number, seed: number): Float32Array {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  )
}
