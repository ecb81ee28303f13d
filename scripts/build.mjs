/**
 * Builds the addon, the WASM files and the package.
 *
 *   node scripts/build.mjs           everything
 *   node scripts/build.mjs --stale   what is missing or older than its sources
 *
 * What this machine cannot build natively is skipped with one line, and WASM takes over.
 * SELFSAME_BUILD=strict makes that an error, for CI.
 * @module
 */
import { takeLock } from './build/lock.mjs'
import { native } from './build/native.mjs'
import { at, toolVersion } from './build/paths.mjs'
import { Failed, isFresh, runStep, Unavailable } from './build/step.mjs'
import { ts } from './build/ts.mjs'
import { wasm } from './build/wasm.mjs'
import { worker } from './build/worker.mjs'

const strict = process.env.SELFSAME_BUILD === 'strict'
const onlyStale = process.argv.includes('--stale')
const unknown = process.argv.slice(2).filter(word => word !== '--stale')

const say = (name, what) => console.log(`${name.padEnd(7)} ${what}`)

async function main() {
  if (unknown.length > 0) throw new Error(`unknown argument ${unknown[0]}; there is only --stale`)
  if (!toolVersion('tsdown'))
    throw new Error(`nothing is installed in ${at('node_modules')}: run npm ci first`)
  const steps = [native, wasm, worker, ts]
  if (onlyStale && steps.every(isFresh)) return
  await takeLock(text => say('build', text))
  // In this order: the package holds the WASM files and the worker. Freshness is asked again under the lock, step by step.
  for (const step of steps) {
    if (onlyStale && isFresh(step)) continue
    if (!(await build(step))) process.exitCode = 1
    if (process.exitCode && step !== native) return
  }
}

/** Runs one step and tells of it in one line; false where the build as a whole has failed. */
async function build(step) {
  try {
    const seconds = await runStep(step)
    say(step.name, `built in ${seconds.toFixed(1)} s`)
    return true
  } catch (error) {
    if (error instanceof Unavailable) {
      say(step.name, `skipped: ${error.message}; WASM takes over`)
      return !strict
    }
    if (!(error instanceof Failed)) throw error
    if (step === native && onlyStale && !strict) {
      say(step.name, `failed: ${error.message}; WASM takes over (npm run build shows all of it)`)
      return true
    }
    console.error(error.log)
    say(step.name, `failed: ${error.message}`)
    return false
  }
}

main().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})
