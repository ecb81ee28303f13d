/**
 * One contender on one shape, alone in its process: verified first, timed only if right.
 * The job comes as JSON in the first argument, the answer goes as one line to standard output.
 * @module
 */

import { timeBeside } from './beside.ts'
import { openContender } from './contenders.ts'
import { workOf } from './data.ts'
import { costOf } from './geometry.ts'
import {
  type About,
  type AboutJob,
  ANSWER,
  type Job,
  type RepeatJob,
  type Timed,
  type TimeJob,
} from './job.ts'
import { measureBandwidth, measurePeak } from './limits/addon.ts'
import { openRight } from './open.ts'
import { pair } from './pair.ts'
import { roundOf } from './stats.ts'
import { timesOf } from './time.ts'

async function answer(job: Job): Promise<unknown> {
  if (job.kind === 'about') return about(job)
  if (job.kind === 'time') return time(job)
  if (job.kind === 'repeat') return repeat(job)
  if (job.kind === 'pair') return pair(job)
  if (job.kind === 'peak') return measurePeak(job.isa, job.milliseconds)
  return measureBandwidth(job.isa, job.bytes, job.milliseconds)
}

async function about({ contender: name, peers }: AboutJob): Promise<About> {
  const contender = await openContender(name, peers)
  const reason = await contender.available()
  return { ...(reason && { reason }), versions: reason ? {} : await contender.versions() }
}

async function time(job: TimeJob): Promise<Timed> {
  const contender = await openContender(job.contender, job.peers)
  if (job.plain) return timeBeside(contender, job, job.plain)
  const opened = await openRight(contender, { ...workOf(job.shape, job.threads), how: job.how }, job.oracle)
  if (opened.outcome !== 'right') return opened
  const { prepared, verdict, firstMs } = opened
  try {
    const { flops, bytes } = prepared.instead ?? costOf(job.shape)
    const round = roundOf(await timesOf(prepared, job.milliseconds, firstMs))
    return { outcome: 'timed', how: prepared.how, verdict, round, flops, bytes }
  } finally {
    await prepared.close?.()
  }
}

async function repeat({ contender: name, peers, shape, runs }: RepeatJob): Promise<number> {
  const contender = await openContender(name, peers)
  const prepared = await contender.prepare(workOf(shape, 1))
  if (typeof prepared === 'string') throw new Error(prepared)
  for (let run = 0; run < runs; run++) await prepared.run()
  await prepared.close?.()
  return runs
}

// A library's threads and processes must not keep the child alive, and the line must be out before it ends.
answer(JSON.parse(process.argv[2]) as Job).then(
  result => process.stdout.write(`\n${ANSWER}${JSON.stringify(result)}\n`, () => process.exit(0)),
  error => process.stderr.write(`${(error as Error)?.stack ?? error}\n`, () => process.exit(1)),
)
