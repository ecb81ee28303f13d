/**
 * `npm run demo`: real self-attention on real input, on every backend this machine has.
 * @module
 */
import { readRecording } from '../explain/recording.ts'
import { info } from '../index.ts'
import { contenders, runContest } from './contest.ts'
import { tellStory } from './story.ts'
import { openTerminal, type Terminal, wrap } from './terminal.ts'

async function main(): Promise<void> {
  const terminal = openTerminal()
  const recording = readRecording()
  const { backend, isa, threads, version, candidates } = info()
  const model = recording.model.replace(/.*\//, '')
  const about = `A real model, ${model}, read three sentences in PyTorch. Its queries, keys and values were recorded; all that follows is computed from them, now.`
  await terminal.print(
    terminal.bold(`selfsame ${version} on ${backend} (${isa}, ${threads} thread${threads > 1 ? 's' : ''})`),
    ...candidates.flatMap(candidate => candidateLines(candidate, backend, terminal)),
    '',
    ...wrap(about, terminal.width),
  )
  await tellStory(recording, terminal)
  const wrong = await runContest(recording, contenders(candidates), terminal)
  if (wrong.length > 0) {
    process.exitCode = 1
    await terminal.print('', ...wrap(`WRONG: further off than allowed: ${wrong.join('; ')}`, terminal.width))
    return
  }
  await terminal.print('', ...wrap(NEXT, terminal.width))
}

const NEXT =
  'Next: README.md has the API in 8 lines; `npm test` holds every backend to the same answers; `SELFSAME_BACKEND=wasm npm run demo` runs the sentences on another backend.'

/** What became of a backend that was not picked. */
function candidateLines(
  candidate: { name: string; reason: string },
  picked: string,
  terminal: Terminal,
): string[] {
  if (candidate.name === picked) return []
  return wrap(`${candidate.name}: ${candidate.reason}`, terminal.width - 2, 2).map(line =>
    terminal.dim(`  ${line}`),
  )
}

main().catch((error: Error) => {
  process.exitCode = 1
  process.stderr.write(`${error.message}\n`)
})
