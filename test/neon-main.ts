/**
 * The conformance cases on the NEON kernels, without a test framework: scripts/test-neon.mjs bundles this file
 * and runs it under an emulator, where a framework alone would take minutes to start.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Case, workOf } from './support/cases.ts'
import { checkCase } from './support/check.ts'
import { compareBits } from './support/compare.ts'
import { decodeCases } from './support/decode-cases.ts'
import { hunt, report as tell } from './support/fuzz/hunt.ts'
import { HUNTS } from './support/fuzz/hunts.ts'
import { absent, platforms } from './support/platforms.ts'
import { SEED } from './support/random.ts'
import { rangeCases } from './support/range-cases.ts'
import { scoreCases } from './support/score-cases.ts'
import { sizeCases } from './support/sweep.ts'

/** Multiply-adds that a case may cost: the oracle runs under the emulator too, some twenty times slower. */
const MOST_WORK = 4e5

/** Drawn calls of each hunt, half a second each. */
const DRAWN = 40

const neon = platforms.filter(platform => platform.isa === 'neon')
const failures: string[] = []
let passed = 0

if (neon.length < 2) {
  const reasons = absent.filter(row => row.name.includes('neon')).map(row => `${row.name}: ${row.reason}`)
  failures.push(`NEON is not there: ${reasons.join('; ')}`)
}

for (const c of [...sizeCases(), ...rangeCases(), ...scoreCases(), ...decodeCases()].filter(
  c => workOf(c) <= MOST_WORK,
))
  runCase(c)
for (const sought of HUNTS) runHunt(sought)

for (const failure of failures) console.log(failure)
console.log(`replay: SELFSAME_SEED=${SEED} node scripts/test-neon.mjs`)
writeReport()
process.exitCode = failures.length === 0 ? 0 : 1

/** On one thread and on two; the threads never change a bit. */
function runCase(c: Case): void {
  let single: Float32Array | undefined
  for (const platform of neon) {
    const problems = problemsOf(c, () => {
      const { problems, output } = checkCase(c, platform.open())
      if (single) problems.push(compareBits('with 1 and 2 threads', single, output) ?? '')
      single ??= output
      return problems.filter(problem => problem !== '')
    })
    if (problems.length === 0) passed++
    else failures.push(`FAILED ${c.name} on ${platform.name}: ${problems.join('; ')}`)
  }
}

/** Drawn calls, every option and storage together. */
function runHunt(sought: (typeof HUNTS)[number]): void {
  const prey = hunt(sought, neon.slice(0, 1), { seed: SEED, cases: DRAWN })
  if (prey) failures.push(tell(sought.name, prey))
  else passed++
}

function problemsOf(c: Case, body: () => string[]): string[] {
  try {
    return body()
  } catch (error) {
    return [`seed ${c.seed}: ${error instanceof Error ? error.message : error}`]
  }
}

/** The fields of vitest's JSON report that the scripts count. */
function writeReport(): void {
  const file = process.env.SELFSAME_TEST_REPORT
  if (!file) return
  mkdirSync(dirname(file), { recursive: true })
  const counts = { numPassedTests: passed, numFailedTests: failures.length, numPendingTests: 0 }
  writeFileSync(file, JSON.stringify({ ...counts, success: failures.length === 0 }))
}
