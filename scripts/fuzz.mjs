/**
 * Drawn calls of attention on every backend and instruction set, against the oracle (`numbers`) and against
 * themselves put otherwise (`bits`), until one is wrong.
 *
 *   node scripts/fuzz.mjs --cases 100000 --seed 1            both hunts, on all that this machine has
 *   node scripts/fuzz.mjs --backend wasm-simd                one backend; --isa avx2 for one instruction set of native
 *   node scripts/fuzz.mjs --hunt bits --jobs 2               one hunt, in two processes
 *
 * A failure prints the smallest draft that fails and the command that replays it, and ends with exit code 1.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import { at } from './build/paths.mjs'
import { bundleProgram } from './test/bundle.mjs'
import { engineFlags } from './test/engine-flags.mjs'

const args = process.argv.slice(2)
const given = args.indexOf('--jobs')
const jobs = given < 0 ? 1 : Number(args.splice(given, 2)[1])

if (!Number.isInteger(jobs) || jobs < 1) {
  console.error('--jobs is a number of processes')
  process.exitCode = 2
} else {
  const { status } = spawnSync(process.execPath, [at('scripts/build.mjs'), '--stale'], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 2
  else await hunt()
}

async function hunt() {
  const program = await bundleProgram('test/fuzz-main.ts', at('build/fuzz'), 'fuzz')
  const children = Array.from({ length: jobs }, (_, job) => {
    const own = jobs > 1 ? ['--job', `${job}`, '--jobs', `${jobs}`] : []
    return spawn(process.execPath, [...engineFlags(), program, ...args, ...own], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  })
  const codes = await Promise.all(children.map(child => new Promise(done => child.on('close', done))))
  process.exitCode = Math.max(...codes.map(code => code ?? 1))
}
