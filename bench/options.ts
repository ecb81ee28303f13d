/**
 * The command line: what to measure, against whom, and how long.
 * @module
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Shape } from './contender.ts'
import { ownNames } from './contenders/own.ts'
import { peerNames, peersFolder } from './contenders.ts'
import { PRICED, type Priced } from './priced.ts'
import { benchCommand } from './root.ts'
import { SHAPES } from './shapes.ts'

export const SWEEPS = ['sequence', 'threads'] as const
export type Sweep = (typeof SWEEPS)[number]

export interface Options {
  shapes: Shape[]
  sweeps: Sweep[]
  /** Options of the call whose price is asked. */
  priced: Priced[]
  /** Own backends, then peers. */
  contenders: string[]
  peers: string
  threads: number[]
  rounds: number
  /** Time for the samples of one contender, shape and round. */
  milliseconds: number
  /** Seconds that one run may be expected to take. */
  patience: number
  json?: string
  out?: string
  publish: boolean
}

/** One shape of each kind and the sweep over their length: what takes a few minutes. */
const USUAL: readonly string[] = [
  'bert-512',
  'gpt-1024',
  'llama-2048',
  'minilm',
  'tiny',
  'odd',
  'ragged',
  'decode-4096',
  'sequence',
]

/** Text to print instead of measuring. */
export interface Said {
  say: string
}

/** A file of figures whose report is to be drawn anew, without measuring. */
export interface Redraw extends Pick<Options, 'json' | 'out' | 'publish'> {
  redraw: string
}

function help(): string {
  return `Usage: ${benchCommand()} [options]

Measures attention on this machine: every backend of selfsame beside other libraries, the same work
on the same cores, each result checked against float64 before it is timed.

  --shape a,b        shapes and sweeps (default one of each kind and the sweep 'sequence', a few
                     minutes; 'all' is some times that; --list names them)
  --against a,b      peers (default all that are here; 'none' for none)
  --backend a,b      own backends: native, wasm or names from --list (default all)
  --isa a,b          instruction sets of the native backend (default all)
  --threads 1,2      threads of each contender (default 1)
  --rounds N         rounds, each with every contender once (default 2, with --publish 3)
  --patience N       leave out what would take more than N seconds a run (default 1)
  --quick            one short round, to see that everything works
  --json FILE        write the figures there too
  --out DIR          folder of the report: HTML, SVG, JSON, Markdown (in the repository build/bench)
  --publish          measure all, and also write bench/RESULTS.md, its charts and the table of README.md
  --redraw FILE      write the report of these figures (JSON) again instead of measuring
  --peers DIR        folder of the peers' modules (default bench/peers)
  --list             shapes, sweeps and contenders
  --help             this text

Ctrl-C prints what is there.
`
}

/** @throws Error that names what is not known and what there is */
export function readOptions(args: readonly string[], cores: number): Options | Said | Redraw {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shape: { type: 'string' },
      against: { type: 'string' },
      backend: { type: 'string' },
      isa: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string' },
      patience: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      out: { type: 'string' },
      publish: { type: 'boolean', default: false },
      redraw: { type: 'string' },
      peers: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return { say: help() }
  const peers = resolve(values.peers ?? peersFolder())
  if (values.list) return { say: list(peers) }
  const { quick, publish, json, out } = values
  if (values.redraw) return { redraw: values.redraw, json, out, publish }
  if (publish && (quick || values.shape || values.against || values.backend || values.isa)) {
    throw new Error(
      '--publish: expected a whole run, without --quick, --shape, --against, --backend or --isa',
    )
  }
  return {
    ...shapesOf(values.shape ?? (publish ? 'all' : USUAL.join())),
    contenders: [...ownOf(values.backend, values.isa), ...peersOf(values.against, peers)],
    peers,
    threads: threadsOf(values.threads, cores),
    rounds: number('rounds', values.rounds, quick ? 1 : publish ? 3 : 2),
    milliseconds: quick ? 60 : 200,
    patience: number('patience', values.patience, 1),
    json,
    out,
    publish,
  }
}

/** By names: shapes, sweeps, options, or 'all'. */
export function shapesOf(text: string): Pick<Options, 'shapes' | 'sweeps' | 'priced'> {
  if (text === 'all') return { shapes: [...SHAPES], sweeps: [...SWEEPS], priced: [...PRICED] }
  const all = [...SHAPES, ...PRICED.map(({ shape }) => shape)].map(({ name }) => name)
  const names = split('shape', text, [...all, ...SWEEPS, 'options'])
  return {
    shapes: SHAPES.filter(({ name }) => names.includes(name)),
    sweeps: SWEEPS.filter(name => names.includes(name)),
    priced: PRICED.filter(({ shape: { name } }) => names.includes(name) || names.includes('options')),
  }
}

/** 'native' stands for all its instruction sets, 'wasm' for both builds. */
export function ownOf(backends: string | undefined, isas: string | undefined): string[] {
  const families = ['native', 'wasm']
  const wanted = backends === undefined ? ownNames : split('backend', backends, [...families, ...ownNames])
  const chosen = ownNames.filter(name => wanted.includes(name) || wanted.includes(name.split('-')[0]))
  if (isas === undefined) return chosen
  const natives = ownNames.filter(name => name.startsWith('native-')).map(name => `${name.slice(7)}`)
  const sets = split('isa', isas, natives)
  return chosen.filter(name => !name.startsWith('native-') || sets.includes(name.slice('native-'.length)))
}

function peersOf(text: string | undefined, folder: string): string[] {
  const names = peerNames(folder)
  if (text === undefined) return names
  return text === 'none' ? [] : split('against', text, names)
}

export function threadsOf(text: string | undefined, cores: number): number[] {
  const counts = (text ?? '1').split(',').map(part => number('threads', part, 1))
  const beyond = counts.find(count => count > cores)
  if (beyond !== undefined) {
    throw new Error(`--threads: expected at most ${cores}, the cores this process may use; got ${beyond}`)
  }
  return [...new Set(counts)].sort((a, b) => a - b)
}

function split(option: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',').map(name => name.trim())
  const unknown = names.find(name => !known.includes(name))
  if (unknown === undefined) return names
  throw new Error(`--${option}: expected names out of ${known.join(', ')}; got '${unknown}'`)
}

export function number(option: string, text: string | undefined, usual: number): number {
  if (text === undefined) return usual
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`--${option}: expected a whole number from 1 on; got '${text}'`)
}

function list(peers: string): string {
  const rows = (title: string, all: readonly (readonly [name: string, note: string])[]): string => {
    const width = Math.max(...all.map(([name]) => name.length)) + 2
    return `${title}\n${all.map(([name, note]) => `  ${name.padEnd(width)}${note}`.trimEnd()).join('\n')}\n`
  }
  const noted = ({ name, note }: Shape): [string, string] => [name, note]
  const named = (name: string): [string, string] => [name, '']
  return [
    rows('shapes', SHAPES.map(noted)),
    rows('sweeps', [
      ['sequence', '16 to 16384 tokens, beside the scan of an RNN'],
      ['threads', 'from one to all cores'],
      ['options', 'what each option of a call costs, beside the call without it: all of'],
      ...PRICED.map(({ shape }) => noted(shape)),
    ]),
    rows('own', ownNames.map(named)),
    rows('peers', peerNames(peers).map(named)),
  ].join('\n')
}
