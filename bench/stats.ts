/**
 * What a list of times comes down to.
 * @module
 */

/** Most times that are kept of a round; beyond them, evenly spaced quantiles stand for all. */
const KEPT = 33

/** The times of one round, in milliseconds and ascending order. */
export interface Round {
  times: number[]
  /** Runs that were measured. */
  samples: number
  min: number
}

export interface Summary {
  /** Of the fastest round. */
  median: number
  min: number
  /** Distance of the quartiles over the median, of all rounds. */
  spread: number
  samples: number
}

export function roundOf(times: readonly number[]): Round {
  const sorted = Float64Array.from(times).sort()
  const kept =
    sorted.length <= KEPT
      ? [...sorted]
      : Array.from({ length: KEPT }, (_, i) => quantile(sorted, i / (KEPT - 1)))
  return { times: kept.map(inShort), samples: sorted.length, min: inShort(sorted[0]) }
}

/** Six digits: further ones are below what a clock sees, and only make files longer. */
function inShort(ms: number): number {
  return Number(ms.toPrecision(6))
}

/**
 * The rounds of a line, each a process of its own. The median is that of the fastest of them: what else runs on the machine,
 * and where a process happens to lie in memory, only ever adds. Samples and spread are of all.
 */
export function summarize(rounds: readonly Round[]): Summary {
  const longest = Math.max(...rounds.map(({ times }) => times.length))
  const pooled = rounds.flatMap(({ times }) =>
    Array.from({ length: longest }, (_, i) => quantile(times, longest === 1 ? 0.5 : i / (longest - 1))),
  )
  const sorted = Float64Array.from(pooled).sort()
  return {
    median: Math.min(...rounds.map(({ times }) => quantile(times, 0.5))),
    min: Math.min(...rounds.map(({ min }) => min)),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / quantile(sorted, 0.5),
    samples: rounds.reduce((sum, { samples }) => sum + samples, 0),
  }
}

/** Of an ascending list, between its entries by proportion. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}
