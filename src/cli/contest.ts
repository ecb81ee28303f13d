/**
 * The part of the demo that weighs the backends: how far from PyTorch, how far from exact, how fast.
 * @module
 */
import type { RecordedSentence, Recording } from '../explain/recording.ts'
import { sentenceOf } from '../explain/recording.ts'
import { type Attention, load, type Tensor } from '../index.ts'
import { maxDifference, randomNormal, shortestTime } from './measure.ts'
import { plainAttention } from './plain-loop.ts'
import { type Terminal, wrap } from './terminal.ts'

/** Largest differences that are still right; beyond them the demo fails. */
export const BOUNDS = {
  /** To PyTorch's weights of the very same q and k: float32 rounding is all there is. */
  stored: 1e-5,
  /** To PyTorch's weights in the model: q and k are stored rounded to float16. */
  model: 2e-3,
  /** To the plain loop, which adds up in float64. */
  exact: 1e-5,
} as const

const LONG = { heads: 12, tokens: 512, headDim: 64 }
/** How long each contender may repeat; the slow ones run once. */
const BUDGET_MS = { sentence: 150, long: 500 }

export interface Contender {
  readonly label: string
  readonly attention: Attention
}

/** The backends that this machine has, each loaded. */
export function contenders(candidates: readonly { name: string; ok: boolean }[]): Contender[] {
  return candidates
    .filter(candidate => candidate.ok)
    .map(({ name }) => {
      const attention = load({ backend: name as 'native' })
      const { isa, threads } = attention.info()
      const detail = name === 'native' ? ` ${isa}` : ''
      return { label: `${name}${detail}${threads > 1 ? `, ${threads} threads` : ''}`, attention }
    })
}

/** Prints both tables; returns the labels of backends that were off by more than the bounds. */
export async function runContest(
  recording: Recording,
  backends: readonly Contender[],
  terminal: Terminal,
): Promise<string[]> {
  const wrong = new Set<string>()
  await onSentences(recording, backends, terminal, wrong)
  await onLong(backends, terminal, wrong)
  return [...wrong]
}

async function onSentences(
  recording: Recording,
  backends: readonly Contender[],
  terminal: Terminal,
  wrong: Set<string>,
): Promise<void> {
  const sentence = sentenceOf(recording, 'tired')
  const { tokens, layers } = sentence
  const about = `The largest difference from the attention weights that PyTorch ${recording.versions.torch.split('+')[0]} computed, over all three sentences, and the time for one sentence (${tokens.length} tokens, ${layers.length} layers of ${recording.heads} heads):`
  await terminal.print('', terminal.bold('Same numbers as PyTorch'), '', ...wrap(about, terminal.width), '')
  await terminal.print(
    row(terminal, '', 'same q, k', 'in model', 'time', 'x plain'),
    terminal.dim(row(terminal, 'allowed', bound(BOUNDS.stored), bound(BOUNDS.model), '', '')),
  )
  const plainMs = shortestTime(() => {
    for (const { q, k, v } of layers) {
      plainAttention(q.data, k.data, v.data, recording.heads, tokens.length, recording.headDim)
    }
  }, BUDGET_MS.sentence)
  for (const { label, attention } of backends) {
    const off = differences(recording.sentences, attention)
    if (!(off.stored <= BOUNDS.stored && off.model <= BOUNDS.model)) wrong.add(label)
    const ms = shortestTime(() => {
      for (const { q, k, v } of layers) attention.attention(q, k, v)
    }, BUDGET_MS.sentence)
    await terminal.print(
      row(terminal, label, error(off.stored), error(off.model), time(ms), speed(plainMs / ms)),
    )
  }
  await terminal.print(row(terminal, 'plain JS loop', '', '', time(plainMs), speed(1)))
}

async function onLong(backends: readonly Contender[], terminal: Terminal, wrong: Set<string>): Promise<void> {
  const { heads, tokens, headDim } = LONG
  const dims = [1, heads, tokens, headDim]
  const [q, k, v] = [1, 2, 3].map(seed => ({ data: randomNormal(heads * tokens * headDim, seed), dims }))
  const gflop = (4 * heads * tokens * tokens * headDim) / 1e9
  const about = `${tokens} tokens of random numbers, ${heads} heads of ${headDim} (${gflop.toFixed(2)} GFLOP), and the largest difference from the plain loop, which adds up in float64:`
  await terminal.print('', terminal.bold('And at length'), '', ...wrap(about, terminal.width), '')
  await terminal.print(
    row(terminal, '', 'off by', 'GFLOP/s', 'time', 'x plain'),
    terminal.dim(row(terminal, 'allowed', bound(BOUNDS.exact), '', '', '')),
  )
  let exact: Float32Array = new Float32Array(0)
  const plainMs = shortestTime(() => {
    exact = plainAttention(q.data, k.data, v.data, heads, tokens, headDim)
  }, BUDGET_MS.long)
  for (const { label, attention } of backends) {
    let output: Tensor = q
    const ms = shortestTime(() => {
      output = attention.attention(q, k, v)
    }, BUDGET_MS.long)
    const off = maxDifference(output.data, exact)
    if (!(off <= BOUNDS.exact)) wrong.add(label)
    await terminal.print(row(terminal, label, error(off), rate(gflop, ms), time(ms), speed(plainMs / ms)))
  }
  await terminal.print(row(terminal, 'plain JS loop', '', rate(gflop, plainMs), time(plainMs), speed(1)))
}

/** How far a backend's weights are from both of PyTorch's, over every sentence, layer and head. */
export function differences(
  sentences: readonly RecordedSentence[],
  attention: Pick<Attention, 'attentionWeights'>,
): { stored: number; model: number } {
  const off = { stored: 0, model: 0 }
  for (const { q, k, v, storedWeights, modelWeights } of sentences.flatMap(sentence => sentence.layers)) {
    const weights = attention.attentionWeights(q, k, v).weights!.data
    off.stored = Math.max(off.stored, maxDifference(weights, storedWeights))
    off.model = Math.max(off.model, maxDifference(weights, modelWeights))
  }
  return off
}

/** A line of a table with four columns; they move together on narrow terminals. */
function row(terminal: Terminal, label: string, ...cells: string[]): string {
  const cell = Math.max(10, Math.min(12, Math.floor((terminal.width - 28) / 4)))
  return `  ${label.padEnd(26)}${cells.map(text => text.padStart(cell)).join('')}`.trimEnd()
}

function bound(value: number): string {
  return `<= ${value.toExponential()}`
}

function error(value: number): string {
  return value === 0 ? '0' : value.toExponential(1)
}

function time(ms: number): string {
  return `${ms < 1 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`
}

function rate(gflop: number, ms: number): string {
  return (gflop / (ms / 1000)).toFixed(1)
}

function speed(times: number): string {
  return `${times < 9.95 ? times.toFixed(1) : times.toFixed(0)} x`
}
