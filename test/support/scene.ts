/**
 * A small honest call of the addon, whose plan a test may turn into a lie.
 * @module
 */
import { ITEM_WORDS, Output, PLAN_WORDS, Storage } from '../../src/attention/plan.ts'
import type { Random } from './random.ts'

export type Words = Record<(typeof PLAN_WORDS)[number], number>
export type Item = Record<(typeof ITEM_WORDS)[number], number>

const BATCH = 2
const HEADS = 4
export const QUERIES = 5
export const KEYS = 7
const DIM = 6
const MARGIN = 512
const SENTINEL = 12345.5

/** Keys of a page, and pages of an item, of the paged scene. */
const PAGE = 256

/** Bytes of one head of a page of int8: codes, then scales. */
const INT8_HEAD = PAGE * (DIM + 4)

/** An honest plan of [2, 4, 5, 6] queries on [2, 2, 7, 6] keys with every option, though none changes a thing. */
function honestWords(paged: boolean): Words {
  const words = Object.fromEntries(PLAN_WORDS.map(name => [name, 0])) as Words
  const dense = (heads: number, rows: number) => ({ batch: heads * rows * DIM, head: rows * DIM, row: DIM })
  const [q, kv, page] = [dense(HEADS, QUERIES), dense(2, KEYS), dense(2, PAGE)]
  const keys = paged ? { batch: 0, head: page.head, row: page.row } : kv
  return Object.assign(words, {
    ...{ batch: BATCH, heads: HEADS, kvHeads: 2, queries: QUERIES, keys: KEYS, headDim: DIM, valueDim: DIM },
    ...{ qBatch: q.batch, qHead: q.head, qRow: q.row, oBatch: q.batch, oHead: q.head, oRow: q.row },
    ...{ kBatch: keys.batch, kHead: keys.head, kRow: keys.row },
    ...{ vBatch: keys.batch, vHead: keys.head, vRow: keys.row },
    ...(paged && { pageKeys: PAGE, pagesPerItem: 1, kPage: page.batch, vPage: page.batch }),
    ...{ lseBatch: HEADS * QUERIES, lseHead: QUERIES, lseRow: 1 },
    ...{ scale: 0.4, left: 0x7fffffff, right: 0x7fffffff },
    ...{ keepBatch: HEADS * QUERIES * KEYS, keepHead: QUERIES * KEYS, keepRow: KEYS, keepKey: 1 },
    ...{ dropBatch: 0, dropHead: QUERIES, dropRow: 1, dropKey: 1, dropBits: 1 },
    ...{ biasBatch: 0, biasHead: 0, biasRow: KEYS, biasKey: 1 },
    ...{ weightsBatch: HEADS * QUERIES * KEYS, weightsHead: QUERIES * KEYS, weightsRow: KEYS },
    ...{ massBatch: HEADS * KEYS, massHead: KEYS, scoresAt: 2 },
    ...{ outputs: 31, features: 0x3ff, threads: 1 },
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

type Data = Float32Array | Uint8Array | Uint32Array | Int32Array | Int8Array

/** An array with nothing but sentinels around it. */
interface Guarded {
  data: Data
  intact: () => boolean
}

type Make = new (length: number) => Data

function guarded(margin: number, length: number, fill: number, make: Make = Float32Array): Guarded {
  const whole = new make(length + 2 * margin).fill(SENTINEL)
  const sentinel = whole[0]
  const data = whole.subarray(margin, margin + length).fill(fill)
  const intact = (): boolean =>
    whole.subarray(0, margin).every(x => x === sentinel) &&
    whole.subarray(margin + length).every(x => x === sentinel)
  return { data, intact }
}

/** Pages of codes 1, each of whose scales is `fill`. */
function int8Pool(margin: number, fill: number): Guarded {
  const pool = guarded(margin, 2 * BATCH * INT8_HEAD, 1, Int8Array)
  const { buffer, byteOffset, length } = pool.data
  for (let head = 0; head < length; head += INT8_HEAD)
    new Float32Array(buffer, byteOffset + head + PAGE * DIM, PAGE).fill(fill)
  return pool
}

type Input = 'q' | 'k' | 'v' | 'pages' | 'keep' | 'drop' | 'bias' | 'alibi' | 'sinks'
type ArrayName = Input | 'out' | 'lse' | 'weights' | 'scores' | 'mass'

/** The arrays of the addon's call, in its order; `rows` has a place among them. */
export const ARRAYS: readonly (ArrayName | 'rows')[] = [
  ...(['q', 'k', 'v', 'pages', 'keep', 'drop', 'bias', 'alibi', 'sinks', 'rows'] as const),
  ...(['out', 'lse', 'weights', 'scores', 'mass'] as const),
]

export class Scene {
  words: Words
  items: Item[] = honestItems()
  rows: Int32Array | undefined
  arrays: Record<ArrayName, Guarded>

  /** `margin` sentinels lie on both sides of every array; 0 where a sanitizer watches its ends. */
  constructor(kind: 'whole' | 'paged' | 'int8' = 'whole', margin: number = MARGIN) {
    const rows = BATCH * HEADS * QUERIES
    const paged = kind !== 'whole'
    const array = (length: number, fill: number, make?: Make) => guarded(margin, length, fill, make)
    const pool = (fill: number) =>
      kind === 'int8' ? int8Pool(margin, fill) : array(2 * BATCH * (paged ? PAGE : KEYS) * DIM, fill)
    this.words = honestWords(paged)
    if (kind === 'int8') {
      const [head, page] = [INT8_HEAD, 2 * INT8_HEAD]
      Object.assign(this.words, { kvType: Storage.int8, kHead: head, vHead: head, kPage: page, vPage: page })
    }
    this.arrays = {
      q: array(rows * DIM, 0.5),
      k: pool(0.25),
      v: pool(3),
      pages: array(BATCH, 1, Int32Array),
      keep: array(rows * KEYS, 1, Uint8Array),
      drop: array(HEADS * QUERIES, 0, Uint32Array),
      bias: array(QUERIES * KEYS, 0),
      alibi: array(HEADS, 0),
      sinks: array(HEADS, Number.NEGATIVE_INFINITY),
      out: array(rows * DIM, 0),
      lse: array(rows, 0),
      weights: array(rows * KEYS, 0),
      scores: array(rows * KEYS, 0),
      mass: array(BATCH * HEADS * KEYS, 0),
    }
  }

  call(isa: string): unknown[] {
    const words = Float64Array.from(PLAN_WORDS, name => this.words[name])
    const items = Int32Array.from(this.items.flatMap(item => ITEM_WORDS.map(name => item[name])))
    const arrays = ARRAYS.map(name => (name === 'rows' ? this.rows : this.arrays[name].data))
    return [isa, this.words.threads || 1, words, items, ...arrays]
  }

  /** What prepare takes, and q, k, v and out: the same plan without its options. */
  plain(isa: string): { plan: unknown[]; tensors: Data[] } {
    Object.assign(this.words, { outputs: Output.output, features: 0 })
    const { q, k, v, out } = this.arrays
    return { plan: this.call(isa).slice(0, 4), tensors: [q, k, v, out].map(({ data }) => data) }
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
