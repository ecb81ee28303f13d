/**
 * What every form of the report says in the same words.
 * @module
 */
import { costOf } from '../geometry.ts'
import { size } from '../machine.ts'
import type { Line, Results } from '../result.ts'
import { describeShape } from '../shapes.ts'
import { digits, flop, megabytes, times } from './figures.ts'
import { fastestOf, isTheirs, type Section, standing } from './view.ts'

/** The machine and what it was measured with, one fact per entry. */
export function machineFacts({ machine }: Results): [string, string][] {
  const { cpu, isa, caches, cores, pinned, memory, governor, virtual, os, node, v8, versions, commit, date } =
    machine
  return [
    ['CPU', `${cpu}${virtual ? ', virtual machine' : ''}`],
    ['instruction sets', isa.join(' ') || 'unknown'],
    ['caches', caches.join(', ') || 'unknown'],
    [
      'cores',
      `${cores}${pinned ? ', children pinned' : ', children not pinned'}${governor ? `, governor ${governor}` : ''}`,
    ],
    ['memory', memory],
    ['system', os],
    ['Node', `${node}, V8 ${v8}`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['commit', commit ?? 'unknown'],
    ['date', date],
  ]
}

/** What the machine could do, measured in the same run. */
export function limitFacts({ limits }: Results): [string, string][] {
  const { peaks, bandwidths, reason } = limits
  const facts = peaks.map(({ isa, threads, gflops }): [string, string] => [
    `multiply-add, ${isa}${onThreads(threads)}`,
    `${digits(gflops)} GFLOP/s`,
  ])
  for (const threads of new Set(bandwidths.map(entry => entry.threads))) {
    const sizes = bandwidths.filter(entry => entry.threads === threads)
    facts.push([
      `reading${onThreads(threads)}`,
      `${sizes.map(({ bytes, gbps }) => `${size(bytes)} ${digits(gbps)}`).join(', ')} GB/s`,
    ])
  }
  if (reason) facts.push(['limits', `not all measured: ${reason}`])
  return facts
}

export function onThreads(threads: number): string {
  return threads > 1 ? `, ${threads} threads` : ''
}

/** 'bert-512  [1, 12, 512, 64]  BERT base, its longest input' and what it costs. */
export function titleOf({ shape, threads }: Section): {
  name: string
  dims: string
  note: string
  cost: string
} {
  const { flops, bytes } = costOf(shape)
  return {
    name: `${shape.name}${onThreads(threads)}`,
    dims: describeShape(shape),
    note: shape.note,
    cost: `${flop(flops)}, ${megabytes(bytes)}`,
  }
}

/** What the machine could do at best. */
export function limitWords({ rows }: Section): string {
  const limits = rows.flatMap(({ line, timed }) => (timed?.limit ? [{ ...timed.limit, line }] : []))
  if (limits.length === 0) return ''
  const { gflops, by, line } = limits.reduce((a, b) => (b.gflops > a.gflops ? b : a))
  return by === 'compute'
    ? `limit: arithmetic, ${digits(gflops)} GFLOP/s`
    : `limit: reading, ${digits((gflops / line.flops!) * line.bytes!)} GB/s`
}

/** Why a line has no time. */
export function reasonOf(line: Line): string {
  const word = { wrong: 'WRONG: ', failed: 'failed: ', cannot: '', timed: '', waiting: '' }[line.outcome]
  return `${word}${line.reason ?? ''}`
}

/** One line that counts, and one for each loss. */
export function standingWords(sections: readonly Section[]): string[] {
  const { won, lost } = standing(sections)
  if (won.length + lost.length === 0) return []
  const losses = lost.map(section => {
    const [theirs, ours] = [fastestOf(section, false)!, fastestOf(section, true)!]
    const factor = times(ours.timed!.median / theirs.timed!.median)
    return `${titleOf(section).name}: ${theirs.line.contender} takes ${digits(theirs.timed!.median)} ms, ${ours.line.contender} ${digits(ours.timed!.median)} ms (${factor})`
  })
  const count = won.length + lost.length
  const peers = new Set(
    [...won, ...lost].flatMap(({ rows }) => rows.filter(isTheirs).map(({ line }) => line.contender)),
  )
  const behind = lost.length === 0 ? '' : `, and slower on ${lost.length}:`
  return [
    `selfsame is fastest on ${won.length} of ${count} shapes, against ${[...peers].join(', ')}${behind}`,
    ...losses,
  ]
}

export const MEANING = [
  'Milliseconds of a run: the median of the fastest of several processes, and the minimum of all; spread is the distance of the quartiles of all over their median.',
  'GFLOP/s count 2 x pairs x (headDim + valueDim), where pairs behind a causal mask or a length do not count; GB/s count q, k, v and the output once.',
  'Of limit: the part reached of what the machine did in the same run, the lower of all arithmetic at its peak and all bytes read once.',
  'To peer: how many times faster than the fastest of the others; below 1 it is slower.',
  'Max abs and rel L2: the error against attention in float64, before anything was timed.',
] as const
