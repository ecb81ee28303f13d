/**
 * The run itself: every contender on every shape in a child of its own, round after round, so that what
 * the machine does meanwhile falls on all alike.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Shape } from './contender.ts'
import { RNN } from './contenders.ts'
import { costOf } from './geometry.ts'
import type { About, Job, Measured, Timed } from './job.ts'
import { probe } from './limits/limits.ts'
import type { Options } from './options.ts'
import type { Line, Results } from './result.ts'
import type { Outcome } from './run-child.ts'
import { shapeOf } from './shapes.ts'
import { type Round, summarize } from './stats.ts'
import { isDue, type Task, tasksOf, turned } from './tasks.ts'

/** A child that has not answered by then does not answer. */
const TIMEOUT_MS = 180_000
const PROBE_MS = 60
/** FLOP per second of a plain loop: what could take long at this rate is tried on something small first. */
const SLOW_RATE = 1e9
const PILOT: Shape = shapeOf({ name: 'pilot', heads: 2, queries: 256, headDim: 64, note: 'how fast at all' })

/** What is done with the machine; tests put something else in its place. */
export interface Hands {
  run<Answer>(job: Job, cpus: readonly number[], timeoutMs: number): Promise<Outcome<Answer>>
  /** Says what comes next, and how far all is. */
  progress(done: number, all: number, what: string): void
  stopped(): boolean
}

/** Asks each contender whether it can run here; drops those that cannot. */
export async function callContenders(
  options: Options,
  results: Results,
  cores: readonly number[],
  hands: Hands,
): Promise<string[]> {
  const present: string[] = []
  for (const [at, contender] of options.contenders.entries()) {
    if (hands.stopped()) break
    hands.progress(at, options.contenders.length, `who is here: ${contender}`)
    const job: Job = { kind: 'about', contender, peers: options.peers }
    const { answer, failure } = await hands.run<About>(job, cores.slice(0, 1), TIMEOUT_MS)
    const reason = answer ? answer.reason : failure
    if (reason) results.absent.push({ contender, reason })
    else present.push(contender)
    Object.assign(results.machine.versions, answer?.versions)
  }
  return present
}

/** Fills `results` as it goes, so that what is there can be shown at any time. */
export async function runRounds(
  options: Options,
  present: readonly string[],
  results: Results,
  cores: readonly number[],
  hands: Hands,
): Promise<void> {
  const tasks = tasksOf(options, present, cores.length)
  results.lines.push(...tasks.map(({ line }) => line))
  results.shapes.push(...new Map(tasks.map(({ shape }) => [shape.name, shape])).values())
  const counts = [...new Set(tasks.map(({ line }) => line.threads))].sort((a, b) => a - b)
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-bench-'))
  /** FLOP per second, the most that each contender has reached so far. */
  const rates = new Map<string, number>()
  const all = tasks.length * options.rounds
  let done = 0
  try {
    for (let round = 0; round < options.rounds && !hands.stopped(); round++) {
      const where = options.rounds > 1 ? `round ${round + 1} of ${options.rounds}, ` : ''
      hands.progress(done, all, `${where}limits of the machine`)
      await probe(results.limits, counts, PROBE_MS, (job, threads) =>
        Promise.all(cores.slice(0, threads).map(cpu => hands.run<Measured>(job, [cpu], TIMEOUT_MS))),
      )
      for (const task of turned(tasks, round)) {
        if (hands.stopped()) return
        const { line } = task
        if (isDue(line, round)) {
          hands.progress(done, all, `${where}${line.shape}, ${line.contender}${ofThreads(line.threads)}`)
          await measure(task, options, rates, folder, cores, hands)
        }
        done++
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ofThreads(threads: number): string {
  return threads > 1 ? ` on ${threads} threads` : ''
}

async function measure(
  { line, shape, plain }: Task,
  options: Options,
  rates: Map<string, number>,
  folder: string,
  cores: readonly number[],
  hands: Hands,
): Promise<void> {
  if (line.outcome === 'waiting' && line.contender !== RNN) {
    const flops = costOf(plain ?? shape).flops
    if (!rates.has(line.contender) && flops / SLOW_RATE > options.patience) {
      const { answer } = await hands.run<Timed>(pilotOf(line, options), cores.slice(0, 1), TIMEOUT_MS)
      if (hands.stopped()) return
      if (answer?.outcome === 'timed') rates.set(line.contender, rateOf(answer.flops, [answer.round]))
    }
    const seconds = flops / (rates.get(line.contender) ?? Number.POSITIVE_INFINITY)
    if (seconds > options.patience) {
      const needed = Math.ceil(seconds)
      line.outcome = 'cannot'
      line.reason = `left out: about ${needed} s a run (--patience ${needed} measures it)`
      return
    }
  }
  const { contender, threads, how } = line
  const { peers, milliseconds } = options
  const oracleOf = ({ name }: Shape): string => join(folder, `${name}.f64`)
  const job: Job = {
    kind: 'time',
    contender,
    peers,
    shape,
    threads,
    milliseconds,
    oracle: oracleOf(shape),
    ...(how && { how }),
    ...(plain && { plain: { shape: plain, oracle: oracleOf(plain), how: line.plain?.at(-1)?.how } }),
  }
  const { answer, failure } = await hands.run<Timed>(job, cores.slice(0, threads), TIMEOUT_MS)
  // A child that Ctrl-C ended has not failed.
  if (hands.stopped()) return
  note(line, answer, failure)
  if (line.outcome !== 'timed' || !line.flops) return
  rates.set(contender, Math.max(rateOf(line.flops, line.rounds), rates.get(contender) ?? 0))
}

/** FLOP per second. */
function rateOf(flops: number, rounds: readonly Round[]): number {
  return (flops / summarize(rounds).median) * 1e3
}

/** A short run that tells what a long one would take. */
function pilotOf({ contender }: Line, { peers }: Options): Job {
  return { kind: 'time', contender, peers, shape: PILOT, threads: 1, milliseconds: 100 }
}

function note(line: Line, answer: Timed | undefined, failure: string | undefined): void {
  if (!answer || answer.outcome === 'cannot') {
    line.outcome = answer ? 'cannot' : 'failed'
    line.reason = answer ? answer.reason : failure
    line.rounds = []
    return
  }
  line.how = answer.how
  line.verdict = answer.verdict
  line.outcome = answer.outcome
  if (answer.outcome === 'wrong') {
    line.reason = answer.verdict.wrong
    line.rounds = []
    return
  }
  line.flops = answer.flops
  line.bytes = answer.bytes
  line.rounds.push(answer.round)
  if (answer.plain) line.plain = [...(line.plain ?? []), answer.plain]
}
