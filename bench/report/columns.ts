/**
 * The columns that every table of shapes has.
 * @module
 */
import type { Line } from '../result.ts'
import { digits, error, percent, times } from './figures.ts'
import type { Timing } from './view.ts'

export const COLUMNS = [
  'median ms',
  'min ms',
  'spread',
  'GFLOP/s',
  'GB/s',
  'of limit',
  'to peer',
  'max abs',
  'rel L2',
] as const

/** Where `figuresOf` has how it stands to the fastest peer. */
export const TO_PEER: number = COLUMNS.indexOf('to peer')

export function figuresOf(timed: Timing, { verdict }: Line): string[] {
  return [
    digits(timed.median),
    digits(timed.min),
    percent(timed.spread),
    digits(timed.gflops),
    digits(timed.gbps),
    percent(timed.ofLimit),
    times(timed.toPeer),
    error(verdict!.maxAbs),
    error(verdict!.relL2),
  ]
}

/** One of ours that a peer outruns. */
export function isSlower(own: boolean, { toPeer }: Timing): boolean {
  return own && toPeer !== undefined && toPeer < 1
}
