/**
 * `npm run bench`: every backend of this package beside the libraries that do the same.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pickPalette } from '../src/explain/palette.ts'
import { isOwn } from './contenders.ts'
import { canPin, coresToUse } from './cores.ts'
import { flagsFor } from './flags.ts'
import { describeMachine } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { openProgress } from './progress.ts'
import { tableOf } from './report/table.ts'
import { type Places, writeReport } from './report/write.ts'
import { type Results, readResults } from './result.ts'
import { benchCommand } from './root.ts'
import { callContenders, type Hands, runRounds } from './rounds.ts'
import { endChildren, runChild } from './run-child.ts'

const stop: { signal?: 'SIGINT' | 'SIGTERM' } = {}

async function main(args: readonly string[]): Promise<void> {
  const cores = coresToUse()
  const options = readOptions(args, cores.length)
  if ('say' in options) process.stdout.write(options.say)
  else if ('redraw' in options) await report(readResults(options.redraw), options)
  else await report(await measure(options, args, cores), options)
}

async function measure(
  options: Options,
  args: readonly string[],
  cores: readonly number[],
): Promise<Results> {
  await installPeers(options)
  const pin = canPin()
  const results: Results = {
    format: 1,
    command: [benchCommand(), ...args].join(' ').replace(/ --$/, ''),
    machine: describeMachine(cores.length, pin),
    rounds: options.rounds,
    limits: { peaks: [], bandwidths: [] },
    shapes: [],
    own: options.contenders.filter(isOwn),
    absent: [],
    lines: [],
    interrupted: false,
  }
  const progress = openProgress(process.stderr)
  const hands: Hands = {
    run: (job, cpus, timeoutMs) => runChild(job, { cpus, pin, timeoutMs, flags: flagsFor(job) }),
    progress: progress.show,
    stopped: () => stop.signal !== undefined,
  }
  const present = await callContenders(options, results, cores, hands)
  await runRounds(options, present, results, cores, hands)
  progress.clear()
  results.interrupted = hands.stopped()
  return results
}

/** The table on the terminal, and the files. */
async function report(results: Results, places: Places): Promise<void> {
  const palette = pickPalette(process.env, process.stdout.isTTY === true)
  process.stdout.write(tableOf(results, palette))
  for (const file of await writeReport(results, places)) process.stderr.write(`wrote ${file}\n`)
}

/** The first run brings the peers in; without a network the run goes on without them, each saying why. */
async function installPeers({ peers, contenders }: Options): Promise<void> {
  const installer = join(peers, 'install.mjs')
  if (!existsSync(installer) || contenders.every(name => isOwn(name) || name === 'plain-loop')) return
  const { installPeers: install } = await import(pathToFileURL(installer).href)
  await install()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time it is meant.
    if (stop.signal) process.exit(exitCode(signal))
    stop.signal = signal
    endChildren()
  })
}

function exitCode(signal: 'SIGINT' | 'SIGTERM'): number {
  return signal === 'SIGINT' ? 130 : 143
}

main(process.argv.slice(2)).then(
  () => {
    if (stop.signal) process.exitCode = exitCode(stop.signal)
  },
  error => {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  },
)
