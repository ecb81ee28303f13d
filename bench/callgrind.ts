/**
 * `npm run bench:callgrind`: how many instructions the native kernels take for small calls, counted by
 * valgrind. The count is the same in every run and on a busy machine, so a change of a kernel shows for
 * certain; it says nothing of caches and of how many instructions run side by side.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Shape } from './contender.ts'
import { ownNames } from './contenders/own.ts'
import { openContender } from './contenders.ts'
import { costOf } from './geometry.ts'
import { instructionsIn } from './instructions.ts'
import type { Job } from './job.ts'
import { describeMachine } from './machine.ts'
import { shapeOf } from './shapes.ts'

export interface Count {
  contender: string
  shape: string
  /** Of one call, or why there is none. */
  instructions?: number
  reason?: string
}

export interface Counts {
  format: 1
  commit?: string
  counts: Count[]
}

/** Full tiles, ragged edges under a mask, and a step of decoding: small, as valgrind is some fifty times slower. */
const CALLS: readonly Shape[] = [
  shapeOf({ name: 'whole', heads: 2, queries: 256, headDim: 64, note: 'whole tiles' }),
  shapeOf({
    name: 'edges',
    heads: 2,
    queries: 77,
    headDim: 40,
    causal: 'top-left',
    note: 'edges and a mask',
  }),
  shapeOf({ name: 'decode', heads: 8, kvHeads: 2, queries: 1, keys: 1024, headDim: 64, note: 'one row' }),
]

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const HELP = `Usage: npm run bench:callgrind [-- --isa avx2,scalar] [--json FILE]

Counts the instructions of the native kernels for small calls, with valgrind --tool=callgrind.
Two files of it are compared by npm run bench:compare.
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { isa: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const natives = ownNames.filter(name => name.startsWith('native-'))
  const wanted = values.isa?.split(',').map(isa => `native-${isa.trim()}`) ?? natives
  const unknown = wanted.find(name => !natives.includes(name))
  if (unknown) {
    const isas = natives.map(name => name.slice('native-'.length)).join(', ')
    throw new Error(`--isa: expected names out of ${isas}; got '${unknown.slice('native-'.length)}'`)
  }
  const result: Counts = { format: 1, commit: describeMachine(1, false).commit, counts: [] }
  for (const contender of wanted) {
    for (const shape of CALLS) {
      const count = await countCall(contender, shape)
      result.counts.push(count)
      process.stdout.write(`${lineOf(count, shape)}\n`)
      // What cannot be counted for one shape cannot for any.
      if (count.reason) break
    }
  }
  if (values.json) writeFileSync(resolve(values.json), `${JSON.stringify(result, undefined, 1)}\n`)
}

function lineOf({ contender, instructions, reason }: Count, shape: Shape): string {
  if (instructions === undefined) return `${contender.padEnd(16)}${reason}`
  const each = costOf(shape).flops / instructions
  return `${contender.padEnd(16)}${shape.name.padEnd(8)}${instructions.toLocaleString('en').padStart(14)} instructions, ${each.toFixed(1)} FLOP each`
}

/** Two more calls than before cost twice one call: starting up and warming fall out. */
async function countCall(contender: string, shape: Shape): Promise<Count> {
  const name = shape.name
  try {
    const few = await countRuns(contender, shape, 2)
    const more = await countRuns(contender, shape, 4)
    return { contender, shape: name, instructions: Math.round((more - few) / 2) }
  } catch (error) {
    return { contender, shape: name, reason: await reasonOf(contender, error as Error) }
  }
}

/** Valgrind shows programs a CPU of its own, which lacks AVX-512. */
async function reasonOf(contender: string, { message }: Error): Promise<string> {
  if (!message.startsWith('isa ')) return message
  const here = await (await openContender(contender, '')).available()
  return (
    here ?? `not counted: this CPU has ${contender.slice('native-'.length)}, but valgrind does not know it`
  )
}

async function countRuns(contender: string, shape: Shape, runs: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-callgrind-'))
  const file = join(folder, 'profile')
  const job: Job = { kind: 'repeat', contender, peers: '', shape, runs }
  try {
    await valgrind([
      '--tool=callgrind',
      `--callgrind-out-file=${file}`,
      process.execPath,
      '--single-threaded',
      CHILD,
      JSON.stringify(job),
    ])
    return instructionsIn(readFileSync(file, 'utf8'), 'selfsame.node')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function valgrind(args: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn('valgrind', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    child.on('error', error => {
      const { code } = error as NodeJS.ErrnoException
      fail(code === 'ENOENT' ? new Error('valgrind is not installed') : error)
    })
    child.on('close', code => {
      const said = stderr.split('\n').filter(line => line !== '' && !line.startsWith('=='))
      const error = said.find(line => /error/i.test(line)) ?? said[said.length - 1]
      if (code === 0) done()
      else fail(new Error(error?.replace(/^\w*Error: /, '') ?? `valgrind ended with code ${code}`))
    })
  })
}

main().catch(error => {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
})
