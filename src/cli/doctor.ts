/**
 * `npx selfsame doctor`: which backends were tried here, why each was refused, and what to do about it.
 * @module
 */
import { parseArgs } from 'node:util'
import { attention, info } from '../index.ts'
import { version } from '../version.ts'
import { type Diagnosis, diagnose, type Finding } from './doctor/diagnose.ts'
import { type Host, readHost } from './doctor/host.ts'
import { openTerminal, type Terminal, wrap } from './terminal.ts'

const HELP = `Usage: npx selfsame doctor [--json]

Says which backends were tried on this machine, why each was refused, and what to do about it.

  --json    the same for programs
  --help    this text

Exit code: 0 the fastest backend that this machine can have serves; 1 a faster one could, see what to do;
2 nothing serves, what SELFSAME_BACKEND, SELFSAME_ISA or SELFSAME_THREADS ask for is not there, or a result is wrong.
`

const NAME_WIDTH = 14

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const host = readHost()
  const diagnosis = diagnose(open, host)
  process.exitCode = diagnosis.code
  if (values.json) process.stdout.write(`${JSON.stringify({ version, host, ...diagnosis }, null, 2)}\n`)
  else await tell(diagnosis, host)
}

/** Opens the package, and has it compute something: one key gets all the weight, so the output is its value. */
function open(): { info: ReturnType<typeof info>; computes: boolean } {
  const row = (...data: number[]) => ({ data: Float32Array.from(data), dims: [1, data.length] })
  const { data } = attention(row(1, 2), row(3, 4), row(5, 6))
  return { info: info(), computes: String(data) === '5,6' }
}

async function tell({ findings, verdict }: Diagnosis, { runtime, platform, libc }: Host): Promise<void> {
  const terminal = openTerminal()
  const where = `${platform}${libc ? ` (${libc})` : ''}`
  await terminal.print(
    terminal.bold(`selfsame ${version} on ${runtime}, ${where}`),
    '',
    ...findings.flatMap(finding => linesOf(finding, terminal)),
    '',
    ...wrap(verdict, terminal.width),
  )
}

function linesOf({ name, state, reason, remedy }: Finding, terminal: Terminal): string[] {
  const said = state === 'serves' ? 'serves' : state === 'refused' ? `refused: ${reason}` : reason
  const lines = wrap(`${name.padEnd(NAME_WIDTH)}${said}`, terminal.width, NAME_WIDTH)
  const advice = remedy ? wrap(`what to do: ${remedy}`, terminal.width - NAME_WIDTH) : []
  return [...lines, ...advice.map(line => ' '.repeat(NAME_WIDTH) + line)]
}

main().catch((error: Error) => {
  process.exitCode = 2
  process.stderr.write(`${error.message}\n`)
})
