/**
 * What an option of the call costs: by turns with the plain call on the same shape, by the same contender.
 * @module
 */
import type { Contender, Prepared } from './contender.ts'
import { workOf } from './data.ts'
import { costOf } from './geometry.ts'
import type { Timed, TimeJob } from './job.ts'
import { openRight } from './open.ts'
import { roundOf } from './stats.ts'
import { ratioOf, takeTurns } from './turns.ts'

const FEWEST_TURNS = 5

export async function timeBeside(
  contender: Contender,
  job: TimeJob,
  plain: NonNullable<TimeJob['plain']>,
): Promise<Timed> {
  const open: Prepared[] = []
  try {
    const work = { ...workOf(job.shape, job.threads), how: job.how }
    const asked = await openRight(contender, work, job.oracle)
    if (asked.outcome !== 'right') return asked
    open.push(asked.prepared)
    const bare = { ...workOf(plain.shape, job.threads), how: plain.how }
    const without = await openRight(contender, bare, plain.oracle)
    if (without.outcome !== 'right') {
      const reason = without.outcome === 'wrong' ? without.verdict.wrong : without.reason
      return { outcome: 'cannot', reason: `without the option: ${reason}` }
    }
    open.push(without.prepared)
    const turns = await takeTurns(without.prepared, asked.prepared, job.milliseconds, FEWEST_TURNS)
    const { flops, bytes } = costOf(job.shape)
    return {
      outcome: 'timed',
      how: asked.prepared.how,
      verdict: asked.verdict,
      round: roundOf(turns.second),
      flops,
      bytes,
      plain: {
        how: without.prepared.how,
        round: roundOf(turns.first),
        relative: flops / costOf(plain.shape).flops / ratioOf(turns),
      },
    }
  } finally {
    for (const prepared of open) await prepared.close?.()
  }
}
