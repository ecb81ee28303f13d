#!/usr/bin/env node
/**
 * `npx selfsame`: one program for each command, started by its name.
 * @module
 */
import { version } from '../version.ts'

interface Command {
  /** The program, seen from this one. */
  file: string
  about: string
}

const COMMANDS: Record<string, Command> = {
  bench: { file: './bench/main.js', about: 'measure attention on this machine, on every backend it has' },
  doctor: { file: './doctor.js', about: 'say which backends run here, why others do not, and what to do' },
}

const HELP = `selfsame ${version}: self-attention for JavaScript

Usage: npx selfsame <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}

npx selfsame <command> --help lists the options of a command.
`

async function main(): Promise<void> {
  const name = process.argv[2]
  if (name === undefined || name === '--help') {
    process.stdout.write(HELP)
    return
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new Error(`command: expected one of ${Object.keys(COMMANDS).join(', ')}; got '${name}'`)
  }
  // A program reads its own options where it always does.
  process.argv.splice(2, 1)
  await import(new URL(COMMANDS[name].file, import.meta.url).href)
}

main().catch((error: Error) => {
  process.exitCode = 1
  process.stderr.write(`${error.message}\n`)
})
