/**
 * The sweeps: what a longer input costs, beside the scan of an RNN, and what more threads bring; and who
 * is measured in them.
 * @module
 */
import type { Shape } from './contender.ts'
import { isOwn, RNN } from './contenders.ts'
import { SHAPES, shapeOf } from './shapes.ts'

export interface Point {
  shape: Shape
  threads: number
  contenders: string[]
}

const LENGTHS = [16, 64, 256, 1024, 4096, 16384]
/** Two heads: narrow enough that 16384 tokens take seconds, not minutes. */
const HEADS = 2
const HEAD_DIM = 64
/** Shapes whose threads are worth seeing: one full of arithmetic, one full of reading. */
const THREADED = ['bert-512', 'llama-2048', 'decode-32768']

export function sequencePoints(contenders: readonly string[]): Point[] {
  const chosen = [...bestOwn(contenders), ...contenders.filter(isPeer), RNN]
  return LENGTHS.map(queries => ({
    shape: shapeOf({
      name: `seq-${queries}`,
      heads: HEADS,
      queries,
      headDim: HEAD_DIM,
      note: `${queries} tokens, width ${HEADS * HEAD_DIM}`,
    }),
    threads: 1,
    contenders: chosen,
  }))
}

export function threadPoints(contenders: readonly string[], cores: number): Point[] {
  const counts = [1, 2, 4, 8, 16, 32, 64].filter(count => count < cores).concat(cores)
  const chosen = [
    ...bestOwn(contenders).filter(name => name.startsWith('native')),
    ...contenders.filter(isPeer),
  ]
  const threaded = chosen.filter(name => name !== 'plain-loop')
  return SHAPES.filter(({ name }) => THREADED.includes(name)).flatMap(shape =>
    counts.map(threads => ({ shape, threads, contenders: threaded })),
  )
}

/** Those who know options at all. */
export function optionContenders(contenders: readonly string[]): string[] {
  return [...bestOwn(contenders), ...contenders.filter(isPeer)].filter(name => name !== 'plain-loop')
}

function isPeer(name: string): boolean {
  return !isOwn(name)
}

/** The first native and the first WASM backend; contenders are in the order of their speed. */
function bestOwn(contenders: readonly string[]): string[] {
  const first = (family: string): string | undefined => contenders.find(name => name.startsWith(family))
  return [first('native'), first('wasm')].filter(name => name !== undefined)
}
