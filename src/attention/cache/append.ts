/**
 * New tokens of a cache: their checks, and their way into the pages.
 * @module
 */
import { checkArray, checkEach, checkNames, checkObject, wrongType, wrongValue } from '../check.ts'
import { Storage, storageName } from '../plan.ts'
import { type Axes, axes, readLayout } from '../shape.ts'
import { readTensor, type Source } from '../tensor.ts'
import type { Contents } from './contents.ts'
import { MOST_TOKENS } from './options.ts'
import type { Store } from './pool.ts'
import { runs } from './runs.ts'

/** Options of `KvCache.append`. */
export interface AppendOptions {
  /** Of every item, how many of the given tokens are appended, from the first on; default all. */
  readonly lengths?: Int32Array
  /** Axes of rank-4 tensors: [batch, kvHeads, tokens, headDim] (default) or [batch, tokens, kvHeads, headDim]. */
  readonly layout?: 'bhsd' | 'bshd'
}

const NAMES: ReadonlySet<string> = new Set(['lengths', 'layout'] satisfies (keyof AppendOptions)[])

/** Keys or values to append, with their strides. */
interface Tokens {
  readonly source: Source
  readonly axes: Axes
}

/** Appends all or, when it throws, nothing. */
export function appendTokens(contents: Contents, kIn: unknown, vIn: unknown, optionsIn: unknown): void {
  const { sizes, table, pool } = contents
  const options =
    optionsIn === undefined ? {} : checkObject('options', optionsIn, 'an object { lengths?, layout? }')
  checkNames('options', options, NAMES)
  const k = readTokens('k', kIn, contents, options as AppendOptions)
  const v = readTokens('v', vIn, contents, options as AppendOptions)
  if (v.axes.rows !== k.axes.rows)
    throw wrongValue('v.dims', `a length of ${k.axes.rows} as k has`, v.source.dims)
  const counts = readCounts(options.lengths, sizes.batch, k.axes.rows)
  for (const [item, count] of counts.entries()) {
    if (table.lengths[item] + count > MOST_TOKENS)
      throw wrongValue('length', `at most ${MOST_TOKENS} tokens in item ${item}`, table.lengths[item] + count)
  }
  table.extend(counts)
  for (const [item, count] of counts.entries()) {
    write(contents, pool.keys, k, item, count)
    write(contents, pool.values, v, item, count)
  }
}

function readTokens(name: 'k' | 'v', value: unknown, { sizes }: Contents, { layout }: AppendOptions): Tokens {
  const source = readTensor(name, value)
  const { dims } = source
  const argument = `${name}.dims`
  if (dims.length < 2) throw wrongValue(argument, 'rank 2, 3 or 4', dims)
  if (source.type !== Storage.float32)
    throw wrongType(`${name}.type`, 'float32, the type of the cache', storageName(source.type))
  const found = axes(name, dims, readLayout(layout, dims.length, false) === 'bshd', false, sizes.kvHeads)
  const channels = name === 'k' ? sizes.headDim : sizes.valueDim
  if (found.batch !== sizes.batch) throw wrongValue(argument, `batch ${sizes.batch} as the cache has`, dims)
  if (found.heads !== sizes.kvHeads)
    throw wrongValue(argument, `${sizes.kvHeads} kvHeads as the cache has`, dims)
  if (found.channels !== channels) {
    const what = name === 'k' ? 'headDim' : 'value headDim'
    throw wrongValue(argument, `${what} ${channels} as the cache has`, dims)
  }
  return { source, axes: found }
}

function readCounts(value: unknown, batch: number, rows: number): Int32Array {
  if (value === undefined) return new Int32Array(batch).fill(rows)
  const counts = checkArray('lengths', value, 'Int32Array', batch, 'batch item')
  checkEach('lengths', counts, 0, rows)
  return counts
}

/** Copies the first `count` tokens of an item to where the table has just made room for them. */
function write({ sizes, table }: Contents, store: Store, tokens: Tokens, item: number, count: number): void {
  const { strides } = tokens.axes
  const source = tokens.source.data
  const end = table.lengths[item]
  for (let head = 0; head < sizes.kvHeads; head++) {
    let from = item * strides.batch + head * strides.head
    for (const run of runs(end - count, end)) {
      let to = store.start(table.page(item, run.index), head, run.row)
      // Rows of one head lie in one piece, or apart by the other heads.
      const pieces = strides.row === store.channels ? 1 : run.count
      const size = (run.count / pieces) * store.channels
      for (let piece = 0; piece < pieces; piece++) {
        store.data.set(source.subarray(from, from + size), to)
        from += (run.count / pieces) * strides.row
        to += size
      }
    }
  }
}
