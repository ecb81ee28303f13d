/**
 * Two that run by turns in one process: what the machine does beside falls on both.
 * @module
 */
import type { Prepared } from './contender.ts'
import { quantile } from './stats.ts'

/** Both are warm after so much of the time (why so much says time.ts). */
const WARMING = 1.5
/** Milliseconds of one turn of a peer that measures itself. */
const TURN_MS = 20

export interface Turns {
  /** Milliseconds of each turn. */
  first: number[]
  second: number[]
}

/** At least `fewest` turns of each, over about so many milliseconds and after some that do not count. */
export async function takeTurns(
  first: Prepared,
  second: Prepared,
  milliseconds: number,
  fewest: number,
): Promise<Turns> {
  await turns(first, second, milliseconds * WARMING, 1)
  return turns(first, second, milliseconds, fewest)
}

/** Median of second over first, turn by turn. */
export function ratioOf({ first, second }: Turns): number {
  return median(second.map((ms, i) => ms / first[i]))
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5)
}

async function turns(
  first: Prepared,
  second: Prepared,
  milliseconds: number,
  fewest: number,
): Promise<Turns> {
  const taken: Turns = { first: [], second: [] }
  const end = performance.now() + milliseconds
  // Each pair is begun by the other side than the last.
  for (let i = 0; i < fewest || performance.now() < end; i++) {
    if (i % 2 === 0) taken.first.push(await turn(first))
    taken.second.push(await turn(second))
    if (i % 2 === 1) taken.first.push(await turn(first))
  }
  return taken
}

async function turn(side: Prepared): Promise<number> {
  if (side.times) return median(await side.times(TURN_MS)) * 1000
  const start = performance.now()
  const running = side.run()
  if (running) await running
  return performance.now() - start
}
