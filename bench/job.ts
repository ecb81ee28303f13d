/**
 * What a child is asked, and what it answers: one line each.
 * @module
 */
import type { Shape } from './contender.ts'
import type { Round } from './stats.ts'
import type { Verdict } from './verify.ts'

export type Job = AboutJob | TimeJob | RepeatJob | PairJob | PeakJob | BandwidthJob

export interface AboutJob {
  kind: 'about'
  contender: string
  /** Folder of the peers' modules. */
  peers: string
}

export interface TimeJob {
  kind: 'time'
  contender: string
  /** Folder of the peers' modules. */
  peers: string
  shape: Shape
  threads: number
  milliseconds: number
  /** The way chosen in an earlier round. */
  how?: string
  /** File in which the children of a run share the oracle's rows of this shape. */
  oracle?: string
  /** The call without the option that this shape is about, to be run by turns with it. */
  plain?: { shape: Shape; oracle?: string; how?: string }
}

/** Runs that nobody times: for whoever counts instructions. */
export interface RepeatJob {
  kind: 'repeat'
  contender: string
  /** Folder of the peers' modules. */
  peers: string
  shape: Shape
  runs: number
}

/** A backend of this build and of another one, run by turns in one process. */
export interface PairJob {
  kind: 'pair'
  contender: string
  /** The other checkout. */
  old: string
  shape: Shape
  threads: number
  milliseconds: number
  oracle: string
}

export interface PeakJob {
  kind: 'peak'
  isa: string
  milliseconds: number
}

export interface BandwidthJob {
  kind: 'bandwidth'
  isa: string
  bytes: number
  milliseconds: number
}

export interface About {
  /** Absent where it can run. */
  reason?: string
  versions: Record<string, string>
}

export type Timed =
  | { outcome: 'cannot'; reason: string }
  | { outcome: 'wrong'; how: string; verdict: Verdict }
  | {
      outcome: 'timed'
      how: string
      verdict: Verdict
      round: Round
      flops: number
      bytes: number
      plain?: PlainRound
    }

/** The call without the option, run by turns with the one that has it. */
export interface PlainRound {
  how: string
  round: Round
  /** Speed per score with the option over speed per score without, turn by turn. */
  relative: number
}

export type Paired =
  | { outcome: 'cannot' | 'wrong'; reason: string }
  | {
      outcome: 'timed'
      /** Median of new time over old time, run by run. */
      ratio: number
      /** Medians in milliseconds. */
      oldMs: number
      nowMs: number
      pairs: number
    }

/** GFLOP/s or GB/s, or why there is none. */
export type Measured = { value: number } | { reason: string }

/** Marks the line among whatever else a library prints. */
export const ANSWER = 'selfsame-bench '
