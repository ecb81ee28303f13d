/**
 * What a run says, ready to be shown: rates, and how they stand to the limits and to the best peer.
 * @module
 */
import type { Shape } from '../contender.ts'
import { type Limit, limitOf } from '../limits/limits.ts'
import type { Group, Line, Results } from '../result.ts'
import { type Summary, summarize } from '../stats.ts'

export interface Row {
  line: Line
  own: boolean
  /** Absent where there is no time. */
  timed?: Timing
}

export interface Timing extends Summary {
  gflops: number
  gbps: number
  limit?: Limit
  /** Part of the limit that is reached. */
  ofLimit?: number
  /** How many times faster than the fastest peer; below 1 it is slower. */
  toPeer?: number
}

/** One shape and number of threads: who did it, the fastest first. */
export interface Section {
  shape: Shape
  threads: number
  rows: Row[]
}

export function sectionsOf(results: Results, group: Group): Section[] {
  const sections: Section[] = []
  for (const line of results.lines) {
    if (line.group !== group || line.outcome === 'waiting') continue
    const shape = results.shapes.find(({ name }) => name === line.shape)!
    let section = sections.find(known => known.shape === shape && known.threads === line.threads)
    if (!section) {
      section = { shape, threads: line.threads, rows: [] }
      sections.push(section)
    }
    section.rows.push(rowOf(line, results))
  }
  for (const { rows } of sections) {
    rows.sort(
      (a, b) => (a.timed?.median ?? Number.POSITIVE_INFINITY) - (b.timed?.median ?? Number.POSITIVE_INFINITY),
    )
    const peer = rows.find(isTheirs)?.timed
    for (const { timed } of rows) if (timed && peer) timed.toPeer = peer.median / timed.median
  }
  return sections
}

export function rowOf(line: Line, results: Results): Row {
  const own = results.own.includes(line.contender)
  if (line.outcome !== 'timed') return { line, own }
  const summary = summarize(line.rounds)
  const gflops = line.flops! / 1e6 / summary.median
  const limit = limitOf(line, results.limits)
  return {
    line,
    own,
    timed: {
      ...summary,
      gflops,
      gbps: line.bytes! / 1e6 / summary.median,
      ...(limit && { limit, ofLimit: gflops / limit.gflops }),
    },
  }
}

/** Where our fastest is the fastest, and where a peer is. */
export function standing(sections: readonly Section[]): { won: Section[]; lost: Section[] } {
  const contested = sections.filter(({ rows }) => rows.some(isOurs) && rows.some(isTheirs))
  return {
    won: contested.filter(section => !isBehind(section)),
    lost: contested.filter(isBehind),
  }
}

export function fastestOf(section: Section, own: boolean): Row | undefined {
  return section.rows.find(own ? isOurs : isTheirs)
}

function isBehind(section: Section): boolean {
  return fastestOf(section, false)!.timed!.median < fastestOf(section, true)!.timed!.median
}

function isOurs({ own, timed }: Row): boolean {
  return own && timed !== undefined
}

export function isTheirs({ own, timed }: Row): boolean {
  return !own && timed !== undefined
}
