/**
 * A run of the bench as it is written to JSON.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Shape } from './contender.ts'
import type { PlainRound } from './job.ts'
import type { Machine } from './machine.ts'
import type { Round } from './stats.ts'
import type { Verdict } from './verify.ts'

/** The table of shapes, the sweeps over sequence length and threads, and what options cost. */
export type Group = 'shapes' | 'sequence' | 'threads' | 'options'

/** One contender on one shape with so many threads. */
export interface Line {
  group: Group
  contender: string
  shape: string
  threads: number
  /** Only what is 'timed' has a time; the others have a reason. */
  outcome: 'waiting' | 'timed' | 'wrong' | 'cannot' | 'failed'
  reason?: string
  how?: string
  verdict?: Verdict
  flops?: number
  bytes?: number
  rounds: Round[]
  /** Where the shape is about an option: the call without it, round by round. */
  plain?: PlainRound[]
}

/** The most that was measured of arithmetic and of reading, by all threads together. */
export interface Limits {
  peaks: { isa: string; threads: number; gflops: number }[]
  /** `bytes` per thread. */
  bandwidths: { bytes: number; threads: number; gbps: number }[]
  /** Where something is missing. */
  reason?: string
}

export interface Results {
  format: 1
  command: string
  machine: Machine
  rounds: number
  limits: Limits
  shapes: Shape[]
  /** Contenders of our own; the others are peers. */
  own: string[]
  absent: { contender: string; reason: string }[]
  lines: Line[]
  /** Ended early, so that lines are missing. */
  interrupted: boolean
}

/** @throws Error where the file is none that the bench has written */
export function readResults(file: string): Results {
  const content = JSON.parse(readFileSync(file, 'utf8'))
  if (content?.format === 1 && Array.isArray(content.lines)) return content
  throw new Error(`${file}: expected figures that the bench has written with --json`)
}
