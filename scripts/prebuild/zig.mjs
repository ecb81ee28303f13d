/**
 * zig as a cross compiler of C++, from its package on PyPI, in a virtual environment of its own.
 * @module
 */
import { existsSync } from 'node:fs'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'

/** Its version, which decides what comes out. */
export const ZIG = '0.17.1'
const folder = at('build/zig')
const python = `${folder}/bin/python`

/** Installs zig once. */
export async function installZig() {
  if (existsSync(python) && (await zig(['version'])).stdout.trim() === ZIG) return
  await must('python3', ['-m', 'venv', folder])
  await must(python, ['-m', 'pip', 'install', '--quiet', `ziglang==${ZIG}`])
}

export const zig = args => run(python, ['-m', 'ziglang', ...args])

/** @throws Error with all that zig printed */
export async function mustZig(args) {
  const { ok, text } = await zig(args)
  if (!ok) throw new Error(`zig ${args[0]} failed:\n${text}`)
}

async function must(program, args) {
  const { ok, text } = await run(program, args)
  if (!ok) throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed:\n${text}`)
}
