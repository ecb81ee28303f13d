/**
 * This build and another one, round after round, each backend by turns with its former self.
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Judged, judgeRatios } from './change.ts'
import { canPin, coresToUse } from './cores.ts'
import { flagsFor } from './flags.ts'
import type { Paired, PairJob } from './job.ts'
import { number, ownOf, shapesOf, threadsOf } from './options.ts'
import { openProgress } from './progress.ts'
import { endChildren, runChild } from './run-child.ts'

/** As they stand on the command line. */
export interface PairWish {
  old: string
  shape?: string
  backend?: string
  isa?: string
  threads?: string
  rounds?: string
}

const TIMEOUT_MS = 180_000
const MILLISECONDS = 300
/** Without those that only say what is right. */
const USUAL = /^(native-(?!scalar)|wasm-)/

export async function measurePairs(wish: PairWish): Promise<Judged[]> {
  if (!existsSync(join(wish.old, 'dist/index.js'))) {
    throw new Error(`--old: expected a checkout that is built; got ${wish.old}, without dist/index.js`)
  }
  const cores = coresToUse()
  const pin = canPin()
  const { shapes: named, priced } = shapesOf(wish.shape ?? 'all')
  const shapes = [...named, ...priced.map(({ shape }) => shape)]
  const own = ownOf(wish.backend, wish.isa)
  const contenders = wish.backend || wish.isa ? own : own.filter(name => USUAL.test(name))
  const [threads] = threadsOf(wish.threads, cores.length)
  const rounds = number('rounds', wish.rounds, 5)
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-bench-'))
  const lines = shapes.flatMap(shape =>
    contenders.map(contender => ({ shape, contender, ratios: [] as number[], reason: '', broken: false })),
  )
  const progress = openProgress(process.stderr)
  const stop = (): void => {
    endChildren()
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  }
  process.once('SIGINT', stop)
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [at, line] of lines.entries()) {
        if (line.reason) continue
        const { shape, contender } = line
        const what = `round ${round + 1} of ${rounds}, ${shape.name}, ${contender}`
        progress.show(round * lines.length + at, rounds * lines.length, what)
        const oracle = join(folder, `${shape.name}.f64`)
        const job: PairJob = {
          kind: 'pair',
          contender,
          old: wish.old,
          shape,
          threads,
          milliseconds: MILLISECONDS,
          oracle,
        }
        const setting = { cpus: cores.slice(0, threads), pin, timeoutMs: TIMEOUT_MS, flags: flagsFor(job) }
        const { answer, failure } = await runChild<Paired>(job, setting)
        if (answer?.outcome === 'timed') line.ratios.push(answer.ratio)
        else line.reason = answer?.reason ?? failure ?? 'no answer'
        line.broken = answer === undefined || answer.outcome === 'wrong'
      }
    }
  } finally {
    process.off('SIGINT', stop)
    progress.clear()
    rmSync(folder, { recursive: true, force: true })
  }
  return lines.map(({ shape, contender, ratios, reason, broken }) => ({
    name: `${shape.name}  ${contender}${threads > 1 ? `, ${threads} threads` : ''}`,
    change: judgeRatios(ratios),
    ...(broken && { broken: reason }),
  }))
}
