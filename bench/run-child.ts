/**
 * Children: started on cores of their own, given so much time, and never allowed to take the run with them.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ANSWER, type Job } from './job.ts'

export interface Outcome<Answer> {
  answer?: Answer
  /** Why there is no answer. */
  failure?: string
}

export interface Setting {
  /** Cores that it may run on; all where the system has no taskset. */
  cpus: readonly number[]
  pin: boolean
  timeoutMs: number
  /** Flags for Node. */
  flags?: readonly string[]
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

const running = new Set<ChildProcess>()

export function runChild<Answer>(job: Job, setting: Setting): Promise<Outcome<Answer>> {
  const node = [process.execPath, ...(setting.flags ?? []), CHILD, JSON.stringify(job)]
  const [command, ...args] = setting.pin ? ['taskset', '-c', setting.cpus.join(','), ...node] : node
  const threads = String(setting.cpus.length)
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads },
    // A group of its own, so that what it starts ends with it.
    detached: process.platform !== 'win32',
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr = (stderr + text).slice(-4000)
  })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    end(child)
  }, setting.timeoutMs)
  return new Promise(resolve => {
    const settle = (outcome: Outcome<Answer>): void => {
      clearTimeout(timer)
      running.delete(child)
      end(child)
      resolve(outcome)
    }
    child.on('error', error => settle({ failure: error.message }))
    child.on('close', (code, signal) => {
      const line = stdout.split('\n').find(text => text.startsWith(ANSWER))
      if (timedOut) settle({ failure: `no answer within ${setting.timeoutMs / 1000} s` })
      else if (line) settle({ answer: JSON.parse(line.slice(ANSWER.length)) as Answer })
      else if (signal) settle({ failure: `killed by ${signal}` })
      else settle({ failure: `exit code ${code}${lastWords(stderr)}` })
    })
  })
}

/** Ends every child that still runs. */
export function endChildren(): void {
  for (const child of running) end(child)
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}

/** The line that says what went wrong: an error's message rather than its stack. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '' && !/^\s+at /.test(line))
  const error = lines.find(line => /error/i.test(line)) ?? lines[lines.length - 1]
  return error ? `: ${error.trim().slice(0, 160)}` : ''
}
