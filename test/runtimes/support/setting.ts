/**
 * What scripts/test-runtimes.mjs has laid out: the tarball, a project that has installed it, and the tools.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

interface Setting {
  readonly tarball: string
  /** The files in it. */
  readonly files: string[]
  readonly project: string
  readonly installed: string
  readonly tools: Record<string, string>
  readonly nodes: Record<'own' | '22' | '24' | '26', string> & { arm64?: string; windows?: string }
  /** Every platform that the package may carry a binary for, and what was found in the one of the tarball, if it is there. */
  readonly prebuilds: readonly { name: string; bytes?: number; problems?: string[] }[]
}

export const root: string = fileURLToPath(new URL('../../../', import.meta.url))
export const work: string = join(root, 'build/runtimes')
export const setting: Setting = JSON.parse(readFileSync(join(work, 'setting.json'), 'utf8'))

/** Opens a folder in Chromium. */
export const BROWSER: string = join(root, 'test/runtimes/browser.mjs')

/** An empty folder of this name. */
export function emptyFolder(name: string): string {
  const folder = join(work, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A folder outside of the repository, whose own binaries are then out of reach; gone when the test is. */
export function distantFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'selfsame-runtimes-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Start {
  cwd?: string
  env?: Record<string, string | undefined>
  /** Milliseconds. */
  timeout?: number
}

/** This process's environment without what would change how the package behaves. */
export function plainEnv(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(SELFSAME|VITEST|NODE_|npm_|FORCE_COLOR|NO_COLOR)/.test(name),
    ),
  )
}

export function run(
  program: string,
  args: string[],
  { cwd = work, env = {}, timeout = 100_000 }: Start = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...plainEnv(), NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', piece => {
      stdout += piece
    })
    child.stderr.setEncoding('utf8').on('data', piece => {
      stderr += piece
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

/** Runs a program that must succeed; returns what it prints. */
export async function must(program: string, args: string[], start: Start = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, start)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}
