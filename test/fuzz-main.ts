/**
 * The long hunts, without a test framework: scripts/fuzz.mjs bundles this file and runs it, in one process or several.
 * @module
 */
import { parseArgs } from 'node:util'
import { hunt, report } from './support/fuzz/hunt.ts'
import { HUNTS } from './support/fuzz/hunts.ts'
import { absent, kernels } from './support/platforms.ts'

/** Cases from one seed: few enough that a failure is near the start of its path and memory stays small. */
const CHUNK = 250
const PROGRESS_MS = 10_000

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    hunt: { type: 'string' },
    backend: { type: 'string' },
    isa: { type: 'string' },
    // Of several processes this one takes every `jobs`-th seed, from the `job`-th on.
    job: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '1' },
  },
})
const { path, backend, isa } = values
const [cases, seed, job, jobs] = [values.cases, values.seed, values.job, values.jobs].map(Number)

const platforms = kernels.filter(
  row => (backend === undefined || row.backend === backend) && (isa === undefined || row.isa === isa),
)
const hunts = HUNTS.filter(({ name }) => values.hunt === undefined || name === values.hunt)
const where = `${backend ? ` --backend ${backend}` : ''}${isa ? ` --isa ${isa}` : ''}`
const say = (text: string): void => console.log(jobs > 1 ? `[${job + 1}/${jobs}] ${text}` : text)

if (![cases, seed].every(Number.isSafeInteger))
  fail(`--cases and --seed are integers, got ${values.cases} and ${values.seed}`)
else if (hunts.length === 0)
  fail(`--hunt is one of ${HUNTS.map(({ name }) => name).join(', ')}, got ${values.hunt}`)
else if (platforms.length === 0) {
  const reasons = absent.map(row => `\n  ${row.name}: ${row.reason}`)
  fail(`nothing here is${where}; there are ${kernels.map(({ name }) => name).join(', ')}${reasons.join('')}`)
} else {
  say(`on ${platforms.map(({ name }) => name).join(', ')}`)
  for (const one of hunts) if (!run(one)) break
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 2
}

/** One hunt to its end; false where it found something. */
function run(one: (typeof HUNTS)[number]): boolean {
  const chunks = path === undefined ? Math.ceil(cases / CHUNK) : 1
  const started = performance.now()
  let told = started
  let done = 0
  for (let chunk = job; chunk < chunks; chunk += jobs) {
    const count = path === undefined ? Math.min(CHUNK, cases - chunk * CHUNK) : 1
    const prey = hunt(one, platforms, { seed: seed + chunk, path, cases: count })
    if (prey) {
      say(`${one.name}: FAILED\n${report(one.name, prey, where)}`)
      process.exitCode = 1
      return false
    }
    done += count
    if (performance.now() - told > PROGRESS_MS) {
      told = performance.now()
      const each = ((told - started) / done).toFixed(1)
      say(
        `${one.name}: ${done} cases, ${each} ms each, seed ${seed + chunk} of ${seed} to ${seed + chunks - 1}`,
      )
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  say(`${one.name}: ${done} cases passed in ${seconds} s, seeds ${seed} to ${seed + chunks - 1}`)
  return true
}
