/**
 * A small honest call of the addon, whose plan a test may turn into a lie.
 * @module
 */
import { ITEM_WORDS, PLAN_WORDS } from '../../src/attention/plan.ts'
import type { Random } from './random.ts'

export type Words = Record<(typeof PLAN_WORDS)[number], number>
export type Item = Record<(typeof ITEM_WORDS)[number], number>

const BATCH = 2
const HEADS = 4
export const QUERIES = 5
export const KEYS = 7
const DIM = 6
const MARGIN = 4096
const SENTINEL = 12345.5

/** An honest plan of [2, 4, 5, 6] queries on [2, 2, 7, 6] keys with output, lse and weights. */
function honestWords(): Words {
  const words = Object.fromEntries(PLAN_WORDS.map(name => [name, 0])) as Words
  const dense = (heads: number, rows: number) => ({ batch: heads * rows * DIM, head: rows * DIM, row: DIM })
  const [q, kv] = [dense(HEADS, QUERIES), dense(2, KEYS)]
  return Object.assign(words, {
    ...{ batch: BATCH, heads: HEADS, kvHeads: 2, queries: QUERIES, keys: KEYS, headDim: DIM, valueDim: DIM },
    ...{ qBatch: q.batch, qHead: q.head, qRow: q.row, oBatch: q.batch, oHead: q.head, oRow: q.row },
    ...{ kBatch: kv.batch, kHead: kv.head, kRow: kv.row, vBatch: kv.batch, vHead: kv.head, vRow: kv.row },
    ...{
      lseBatch: HEADS * QUERIES,
      lseHead: QUERIES,
      lseRow: 1,
      scale: 0.4,
      left: 0x7fffffff,
      right: 0x7fffffff,
    },
    ...{ weightsBatch: HEADS * QUERIES * KEYS, weightsHead: QUERIES * KEYS, weightsRow: KEYS },
    ...{ outputs: 1 | 2 | 4, features: 1 << 7, threads: 1 },
  })
}

function honestItems(): Item[] {
  const item = {
    queryFirst: 0,
    queryTotal: QUERIES,
    queryRows: QUERIES,
    keyFirst: 0,
    keyTotal: KEYS,
    keyBegin: 0,
    keyEnd: KEYS,
    position: 0,
  }
  return [{ ...item }, { ...item }]
}

/** An array with nothing but sentinels around it. */
interface Guarded {
  data: Float32Array
  intact: () => boolean
}

function guarded(length: number, fill: number): Guarded {
  const whole = new Float32Array(length + 2 * MARGIN).fill(SENTINEL)
  const data = whole.subarray(MARGIN, MARGIN + length).fill(fill)
  const intact = (): boolean =>
    whole.subarray(0, MARGIN).every(x => x === SENTINEL) &&
    whole.subarray(MARGIN + length).every(x => x === SENTINEL)
  return { data, intact }
}

export class Scene {
  words: Words = honestWords()
  items: Item[] = honestItems()
  rows: Int32Array | undefined
  arrays: Record<'q' | 'k' | 'v' | 'out' | 'lse' | 'weights', Guarded> = {
    q: guarded(BATCH * HEADS * QUERIES * DIM, 0.5),
    k: guarded(BATCH * 2 * KEYS * DIM, 0.25),
    v: guarded(BATCH * 2 * KEYS * DIM, 3),
    out: guarded(BATCH * HEADS * QUERIES * DIM, 0),
    lse: guarded(BATCH * HEADS * QUERIES, 0),
    weights: guarded(BATCH * HEADS * QUERIES * KEYS, 0),
  }

  call(isa: string): unknown[] {
    const { q, k, v, out, lse, weights } = this.arrays
    const words = Float64Array.from(PLAN_WORDS, name => this.words[name])
    const items = Int32Array.from(this.items.flatMap(item => ITEM_WORDS.map(name => item[name])))
    return [
      isa,
      this.words.threads || 1,
      words,
      items,
      q.data,
      k.data,
      v.data,
      out.data,
      lse.data,
      this.rows,
      weights.data,
    ]
  }

  intact(): boolean {
    return Object.values(this.arrays).every(array => array.intact())
  }
}

/** Changes a few numbers of a plan, mostly to others that could pass. */
export function spoil(scene: Scene, source: Random): void {
  const value = (old: number): number =>
    source.pick([
      old - 1,
      old + 1,
      old * 2,
      Math.floor(old / 2),
      0,
      1,
      2,
      -1,
      3,
      source.below(50),
      2 ** 31,
      2 ** 32 + 1,
      Number.NaN,
      source.normal(),
    ])
  for (let changes = 1 + source.below(3); changes > 0; changes--) {
    const name = source.pick(PLAN_WORDS)
    if (name === 'threads') continue
    scene.words[name] = value(scene.words[name])
  }
  if (source.below(2) === 0) {
    const name = source.pick(ITEM_WORDS)
    const item = source.pick(scene.items)
    item[name] = Math.trunc(value(item[name])) || 0
  }
  if (source.below(3) === 0)
    scene.rows = Int32Array.from({ length: source.below(7) }, () => source.below(7) - 1)
}
