/**
 * Two builds of one backend by turns over the same numbers.
 * @module
 */
import type { Prepared } from './contender.ts'
import { openBoth } from './contenders.ts'
import { workOf } from './data.ts'
import type { Paired, PairJob } from './job.ts'
import { openRight } from './open.ts'
import { median, ratioOf, takeTurns } from './turns.ts'

const FEWEST_TURNS = 3

export async function pair(job: PairJob): Promise<Paired> {
  const work = workOf(job.shape, job.threads)
  const [old, now] = await openBoth(job.contender, job.old)
  const sides: Prepared[] = []
  for (const [name, contender] of [['old', old] as const, ['new', now] as const]) {
    const opened = await openRight(contender, work, job.oracle)
    if (opened.outcome === 'cannot') return { outcome: 'cannot', reason: `${name}: ${opened.reason}` }
    if (opened.outcome === 'wrong') return { outcome: 'wrong', reason: `${name}: ${opened.verdict.wrong}` }
    sides.push(opened.prepared)
  }
  const turns = await takeTurns(sides[0], sides[1], job.milliseconds, FEWEST_TURNS)
  return {
    outcome: 'timed',
    ratio: ratioOf(turns),
    oldMs: median(turns.first),
    nowMs: median(turns.second),
    pairs: turns.first.length,
  }
}
