/**
 * A whole run of the bench: who is wrong gets no time, who dies loses one line, Ctrl-C shows what is there.
 * @module
 */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { costOf } from '../bench/geometry.ts'
import type { Line, Results } from '../bench/result.ts'
import { copyPackage } from './support/child.ts'

const BENCH = fileURLToPath(new URL('../dist/bench/', import.meta.url))
/** For a machine that does other things too; alone, each takes five seconds. */
const LONG_MS = 150_000
vi.setConfig({ testTimeout: LONG_MS, hookTimeout: LONG_MS })

const folder = mkdtempSync(join(tmpdir(), 'selfsame-bench-test-'))
const peers = join(folder, 'peers')
/** Where the sleeper says who it is. */
const sleeping = join(folder, 'sleeper.pid')

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A peer whose run is plain attention over one sequence, and then something else. */
function peer(name: string, after: string): void {
  const module = `
    import fs from 'node:fs'
    export default {
      name: '${name}',
      available: async () => undefined,
      versions: async () => ({ ${name}: '1.0' }),
      prepare: async ({ shape, q, k, v }) => {
        const { heads, queries, headDim } = shape
        const out = new Float32Array(q.length)
        function attend() {
          for (let h = 0; h < heads; h++)
            for (let i = 0; i < queries; i++) {
              const at = j => (h * queries + j) * headDim
              const weights = Array.from({ length: queries }, (_, j) => {
                let score = 0
                for (let c = 0; c < headDim; c++) score += q[at(i) + c] * k[at(j) + c]
                return Math.exp(score / Math.sqrt(headDim))
              })
              const total = weights.reduce((a, b) => a + b)
              for (let c = 0; c < headDim; c++)
                out[at(i) + c] = weights.reduce((sum, weight, j) => sum + weight * v[at(j) + c], 0) / total
            }
        }
        return { run() { attend(); ${after} }, output: () => out, how: 'by hand' }
      },
    }`
  writeFileSync(join(peers, `${name}.mjs`), module)
}

beforeAll(() => {
  mkdirSync(peers)
  peer('honest', '')
  peer('liar', 'out[7] += 0.01')
  peer('victim', "process.kill(process.pid, 'SIGKILL')")
  peer('thrower', "throw new Error('out of luck')")
  const told = JSON.stringify(sleeping)
  peer(
    'sleeper',
    `fs.writeFileSync(${told}, String(process.pid)); return new Promise(() => setInterval(() => {}, 1000))`,
  )
})

describe('a run', () => {
  let results: Results
  let stdout: string

  beforeAll(() => {
    const out = join(folder, 'report')
    const names = 'honest,liar,victim,thrower'
    const args = ['--quick', '--shape', 'tiny', '--backend', 'reference', '--against', names]
    const child = spawnSync(
      process.execPath,
      [join(BENCH, 'main.js'), ...args, '--peers', peers, '--out', out],
      { encoding: 'utf8', timeout: LONG_MS },
    )
    expect(child).toMatchObject({ status: 0 })
    stdout = child.stdout
    results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))
  })

  const lineOf = (contender: string): Line => results.lines.find(line => line.contender === contender)!

  test('who is right has an error, times and rates', () => {
    for (const name of ['honest', 'reference']) {
      const line = lineOf(name)
      expect(line).toMatchObject({ outcome: 'timed', flops: costOf(results.shapes[0]).flops })
      expect(line.verdict).toMatchObject({ rows: 12 * 16, allRows: 12 * 16 })
      expect(line.verdict!.maxAbs).toBeGreaterThan(0)
      expect(line.rounds).toHaveLength(1)
    }
    expect(stdout).toMatch(/honest +\d/)
  })

  test('who is wrong is shown as wrong and has no time', () => {
    expect(lineOf('liar')).toMatchObject({ outcome: 'wrong', rounds: [] })
    expect(lineOf('liar').verdict!.maxAbs).toBeCloseTo(0.01)
    expect(stdout).toMatch(/liar +WRONG: max abs 1\.0e-2/)
  })

  test('who dies loses one line, with the reason', () => {
    expect(lineOf('victim')).toMatchObject({ outcome: 'failed', reason: 'killed by SIGKILL', rounds: [] })
    expect(lineOf('thrower')).toMatchObject({ outcome: 'failed', reason: 'exit code 1: Error: out of luck' })
    expect(stdout).toContain('killed by SIGKILL')
  })

  test('the report has pictures and every contender', () => {
    const page = readFileSync(join(folder, 'report/index.html'), 'utf8')
    const table = readFileSync(join(folder, 'report/RESULTS.md'), 'utf8')
    for (const { contender } of results.lines) {
      expect(page).toContain(contender)
      expect(table).toContain(contender)
    }
    expect(page).toContain(readFileSync(join(folder, 'report/shapes.svg'), 'utf8'))
    expect(page).not.toMatch(/(src|href)="http/)
  })
})

test.skipIf(process.platform === 'win32')('Ctrl-C prints what is there and ends all children', async () => {
  const args = [
    '--quick',
    '--shape',
    'tiny',
    '--backend',
    'reference',
    '--against',
    'sleeper',
    '--peers',
    peers,
  ]
  const child = spawn(process.execPath, [join(BENCH, 'main.js'), ...args, '--out', join(folder, 'stopped')])
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  await vi.waitUntil(() => existsSync(sleeping) && readFileSync(sleeping).length > 0, { timeout: LONG_MS })
  child.kill('SIGINT')
  expect(await ending(child)).toBe(130)
  expect(stdout).toMatch(/reference +\d/)
  expect(stdout).toContain('Ended early')
  const pid = Number(readFileSync(sleeping, 'utf8'))
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('npx selfsame bench: own backends, no peers, no file that nobody asked for', () => {
  const installed = copyPackage(null)
  const before = readdirSync(installed)
  const run = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [join(installed, 'dist/selfsame.js'), ...args], {
      encoding: 'utf8',
      cwd: installed,
      timeout: LONG_MS,
    })
  const { status, stdout, stderr } = run('bench', '--quick', '--shape', 'tiny', '--backend', 'reference')
  expect(stderr).toContain('[1/2] tiny, plain-loop')
  expect(status).toBe(0)
  expect(stdout).toMatch(/^\* (reference|plain-loop) +\d/m)
  expect(stdout).toMatch(/^limits +not all measured: the measuring loops are not built/m)
  expect(readdirSync(installed)).toEqual(before)
  expect(run('--help').stdout).toMatch(/^ {2}bench {2,}measure/m)
  expect(run('bench', '--help').stdout).toContain('Usage: npx selfsame bench [options]')
  expect(run('benhc')).toMatchObject({
    status: 1,
    stderr: "command: expected one of bench, doctor; got 'benhc'\n",
  })
})

function ending(child: ChildProcess): Promise<number | null> {
  return new Promise(resolve => child.on('close', resolve))
}
