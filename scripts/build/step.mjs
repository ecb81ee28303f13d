/**
 * A build step and its freshness.
 *
 * A step is `{ name, inputs, words, outputs, run }`: files and folders it reads, facts beside them that change
 * its result (tool versions, flags), the files it makes. A stamp keeps the hash of the inputs as they were
 * *before* the run, and of the outputs after it, so that an edit made meanwhile, a lost output and
 * an output of someone else's making all count as stale.
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { filesBelow, hashOf, writeWhole } from './files.mjs'
import { at } from './paths.mjs'

/** The step cannot run here: something is missing that is not ours. */
export class Unavailable extends Error {}

/** The step ran and failed; `log` is what it printed. */
export class Failed extends Error {
  constructor(message, log) {
    super(message)
    this.log = log
  }
}

const stampOf = step => at('build/stamps', `${step.name}.json`)
const inputsHash = step => hashOf(filesBelow(step.inputs), step.words)

export function isFresh(step) {
  if (!existsSync(stampOf(step)) || !step.outputs.every(existsSync)) return false
  const stamp = JSON.parse(readFileSync(stampOf(step), 'utf8'))
  return stamp.inputs === inputsHash(step) && stamp.outputs === hashOf(step.outputs)
}

/** Runs a step; returns the seconds it took. Outputs of a failed step do not stay behind. */
export async function runStep(step) {
  rmSync(stampOf(step), { force: true })
  const inputs = inputsHash(step)
  const start = performance.now()
  try {
    await step.run()
    const missing = step.outputs.filter(file => !existsSync(file))
    if (missing.length > 0) throw new Failed(`did not make ${missing.join(', ')}`, '')
  } catch (error) {
    for (const file of step.outputs) rmSync(file, { force: true })
    throw error
  }
  writeWhole(stampOf(step), `${JSON.stringify({ inputs, outputs: hashOf(step.outputs) }, null, 2)}\n`)
  return (performance.now() - start) / 1000
}
