/**
 * Whether a line has moved, or only trembled.
 * @module
 */
import type { Line, Results } from './result.ts'
import type { Round } from './stats.ts'

export interface Pair {
  name: string
  base: Line
  next: Line
}

/** What became of a line. */
export interface Judged {
  name: string
  /** Absent where there is nothing to judge by. */
  change?: Change
  /** It had a time and has none any more, or is not what it should be. */
  broken?: string
}

export interface Change {
  /** New time over old time: below 1 is faster. */
  ratio: number
  /** 99 of 100 such intervals hold the true ratio. */
  low: number
  high: number
  rounds: number
  verdict: 'faster' | 'slower' | 'noise'
}

/** Less than this is of no interest, however certain. */
const FLOOR = 0.02

/** Two-sided 99 % quantile of Student's t by degrees of freedom, from 1. */
const STUDENT = [
  63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169, 3.106, 3.055, 3.012, 2.977,
]
/** Beyond the table; that of 15. */
const STUDENT_BEYOND = 2.947

/** Lines of both runs that have the same contender, shape and threads. */
export function pairsOf(base: Results, next: Results): Pair[] {
  return next.lines.flatMap(line => {
    const other = base.lines.find(
      ({ contender, shape, threads }) =>
        contender === line.contender && shape === line.shape && threads === line.threads,
    )
    return other ? [{ name: nameOf(line), base: other, next: line }] : []
  })
}

function nameOf({ contender, shape, threads }: Line): string {
  return `${shape}  ${contender}${threads > 1 ? `, ${threads} threads` : ''}`
}

/**
 * Round against round by the fastest run of each, since what the machine does beside only adds time;
 * undefined where a single round says nothing.
 */
export function judge(base: readonly Round[], next: readonly Round[]): Change | undefined {
  const rounds = Math.min(base.length, next.length)
  return judgeRatios(Array.from({ length: rounds }, (_, i) => next[i].min / base[i].min))
}

/** From the ratio that each round gives. */
export function judgeRatios(ratios: readonly number[]): Change | undefined {
  const rounds = ratios.length
  if (rounds < 2) return undefined
  const logs = ratios.map(Math.log)
  const mean = logs.reduce((sum, log) => sum + log, 0) / rounds
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (rounds - 1)
  const reach = (STUDENT[rounds - 2] ?? STUDENT_BEYOND) * Math.sqrt(variance / rounds)
  const moved = Math.abs(mean) > reach && Math.abs(Math.expm1(mean)) >= FLOOR
  return {
    ratio: Math.exp(mean),
    low: Math.exp(mean - reach),
    high: Math.exp(mean + reach),
    rounds,
    verdict: !moved ? 'noise' : mean < 0 ? 'faster' : 'slower',
  }
}
