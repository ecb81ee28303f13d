/**
 * `npm run bench:compare`: what moved beyond noise, between two files of the bench or, surer, between two
 * builds measured by turns. Ends with 1 where something got slower or is no longer right.
 * @module
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Counts } from './callgrind.ts'
import { type Change, type Judged, judge, pairsOf } from './change.ts'
import { measurePairs } from './paired.ts'
import { type Results, readResults } from './result.ts'

const HELP = `Usage: npm run bench:compare base.json new.json
       npm run bench:compare -- --old DIR [--shape a,b] [--backend a,b] [--isa a,b] [--threads N] [--rounds N]

Says what moved beyond noise between two runs of npm run bench -- --json FILE, round against round; let
both run with --rounds 5.
Surer by far is --old: another checkout of selfsame, built, whose backends run by turns with those of
this one, in the same process over the same numbers.
Two files of npm run bench:callgrind -- --json FILE are compared by their counts.
`

async function main(): Promise<void> {
  const { values, positionals: files } = parseArgs({
    options: {
      old: { type: 'string' },
      shape: { type: 'string' },
      backend: { type: 'string' },
      isa: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  if (values.help) say(HELP.trimEnd())
  else if (values.old) report(await measurePairs({ ...values, old: resolve(values.old) }))
  else compareFiles(files)
}

function compareFiles(files: readonly string[]): void {
  if (files.length !== 2) throw new Error(`expected two files of the bench; got ${files.length}\n\n${HELP}`)
  const [base, next] = files.map(read)
  if (isCounts(base) && isCounts(next)) compareCounts(base, next)
  else if (isCounts(base) || isCounts(next)) throw new Error('expected two files of the same kind')
  else compareRuns(base, next)
}

function compareRuns(base: Results, next: Results): void {
  const pairs = pairsOf(base, next)
  if (pairs.length === 0) throw new Error('no line is in both files')
  report(
    pairs.map(({ name, base: { outcome, rounds }, next: { outcome: now, rounds: since, reason } }) => ({
      name,
      change: judge(rounds, since),
      ...(outcome === 'timed' && isBroken(now) && { broken: `${now}: ${reason}` }),
    })),
  )
}

function read(file: string): Results | Counts {
  const content = JSON.parse(readFileSync(file, 'utf8'))
  return content?.format === 1 && Array.isArray(content.counts) ? content : readResults(file)
}

function isCounts(content: Results | Counts): content is Counts {
  return 'counts' in content
}

/** What has moved, the bad news first. */
function report(judged: readonly Judged[]): void {
  const of = (verdict: string): Judged[] => judged.filter(({ change }) => change?.verdict === verdict)
  const [slower, faster, noise] = [of('slower'), of('faster'), of('noise')]
  const broken = judged.filter(entry => entry.broken)
  const once = judged.filter(({ change, broken: word }) => !change && !word)
  for (const { name, broken: word } of broken) say(`${name}: ${word}`)
  for (const { name, change } of [...slower, ...faster]) say(lineOf(name, change!))
  const reach = noise.map(({ change }) => change!.high / change!.ratio - 1).sort((a, b) => a - b)
  if (noise.length > 0) {
    const usual = (reach[Math.floor(reach.length / 2)] * 100).toFixed(1)
    say(`${noise.length} did not move beyond noise (+-${usual} % for the middle one of them)`)
  }
  if (once.length > 0) say(`${once.length} not to be judged: it takes two rounds that both have a time`)
  if (slower.length + faster.length + broken.length === 0) say('nothing moved')
  if (slower.length + broken.length > 0) process.exitCode = 1
}

function isBroken(outcome: string): boolean {
  return outcome === 'wrong' || outcome === 'failed'
}

function lineOf(name: string, { verdict, ratio, low, high, rounds }: Change): string {
  const range = `${percent(low)} to ${percent(high)}`
  return `${verdict.padEnd(8)}${name.padEnd(40)} ${percent(ratio)} time  (${range}, ${rounds} rounds)`
}

/** 1.1 as '+10.0 %'. */
function percent(ratio: number): string {
  const change = (ratio - 1) * 100
  return `${change < 0 ? '' : '+'}${change.toFixed(1)} %`
}

/** Counts have no noise to speak of: a thousandth is a change. */
const SAME = 0.001

function compareCounts(base: Counts, next: Counts): void {
  for (const { contender, shape, instructions } of next.counts) {
    const before = base.counts.find(
      count => count.contender === contender && count.shape === shape,
    )?.instructions
    if (instructions === undefined || before === undefined) continue
    const ratio = instructions / before
    const word = Math.abs(ratio - 1) < SAME ? 'same' : ratio > 1 ? 'more' : 'fewer'
    say(`${word.padEnd(8)}${`${shape}  ${contender}`.padEnd(40)} ${percent(ratio)} instructions`)
    if (word === 'more') process.exitCode = 1
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

main().catch(error => {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
})
