/**
 * Child processes that use the package as it is installed: dist/ and package.json, with or without the addon.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))
const addon = join('build', 'Release', 'selfsame.node')

export const hasAddon: boolean = existsSync(join(root, addon))

if (!existsSync(join(root, 'dist', 'index.js'))) throw new Error('dist/ is missing: run npm run build')

/** What this process was told about WebAssembly (relaxed SIMD on Node 20) holds for its children. */
const engineFlags = process.execArgv.filter(flag => /^--.*wasm/.test(flag))

export interface ChildOptions {
  /** The folder of the package; the repository's own by default. */
  folder?: string
  env?: Record<string, string>
  /** More options of node itself. */
  flags?: string[]
}

export interface Child {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs an ES module that sees the package as `selfsame`, its file as `packageEntry`, `zeros(...dims)` and `print(value)`. */
export function runChild(code: string, { folder = root, env = {}, flags = [] }: ChildOptions = {}): Child {
  const entry = JSON.stringify(join(folder, 'dist', 'index.js'))
  const prelude = `
    import * as selfsame from ${entry}
    const zeros = (...dims) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims })
    const packageEntry = ${entry}
    const print = value => console.log(JSON.stringify(value))
  `
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SELFSAME|VITEST|NODE_OPTIONS)/.test(name)),
  )
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...engineFlags, ...flags, '--input-type=module', '--eval', prelude + code],
    { encoding: 'utf8', env: { ...clean, ...env }, timeout: 50_000 },
  )
  return { status, stdout, stderr }
}

/** Runs code that prints one JSON value. */
export function evaluate<T>(code: string, options?: ChildOptions): T {
  const { status, stdout, stderr } = runChild(code, options)
  if (status !== 0) throw new Error(`child ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** A copy of the installed package in a temporary folder, gone when the test is; `binary` replaces the addon, null leaves it out. */
export function copyPackage(binary: Uint8Array | 'own' | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  if (binary === null) return folder
  mkdirSync(join(folder, 'build', 'Release'), { recursive: true })
  if (binary === 'own') cpSync(join(root, addon), join(folder, addon))
  else writeFileSync(join(folder, addon), binary)
  return folder
}
