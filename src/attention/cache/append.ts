/**
 * New tokens of a cache: their checks, and where in the pages they go.
 * @module
 */
import { checkArray, checkEach, checkNames, checkObject, wrongType, wrongValue } from '../check.ts'
import { Storage, storageName } from '../plan.ts'
import { type Axes, axes, readLayout } from '../shape.ts'
import { readTensor, type Source } from '../tensor.ts'
import type { Contents } from './contents.ts'
import { MOST_TOKENS, type Sizes } from './options.ts'
import type { Store } from './pool.ts'
import { runs } from './runs.ts'
import { checkRow, writeRows } from './write.ts'

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
  if (v.source.type !== k.source.type)
    throw wrongType('v.type', `${storageName(k.source.type)}, the type of k`, storageName(v.source.type))
  checkNumbers('k', sizes, k, counts)
  checkNumbers('v', sizes, v, counts)
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
  if (source.type !== Storage.float32 && source.type !== sizes.type) {
    const fits = sizes.type === Storage.float16 ? 'float32, or float16 as the cache has' : 'float32'
    throw wrongType(`${name}.type`, fits, storageName(source.type))
  }
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

/** Every number that is to be appended can be stored. */
function checkNumbers(name: 'k' | 'v', { type, kvHeads }: Sizes, tokens: Tokens, counts: Int32Array): void {
  const { source, axes } = tokens
  if (type === Storage.float32 || source.type === type) return
  const { batch, head, row } = axes.strides
  for (const [item, count] of counts.entries()) {
    for (let h = 0; h < kvHeads; h++) {
      for (let token = 0; token < count; token++) {
        const at = item * batch + h * head + token * row
        checkRow(name, type, source.data as Float32Array, at, axes.channels)
      }
    }
  }
}

/** Stores the first `count` tokens of an item where the table has just made room for them. */
function write({ sizes, table }: Contents, store: Store, tokens: Tokens, item: number, count: number): void {
  const { strides } = tokens.axes
  const end = table.lengths[item]
  for (let head = 0; head < sizes.kvHeads; head++) {
    let from = item * strides.batch + head * strides.head
    for (const run of runs(end - count, end)) {
      const place = { page: table.page(item, run.index), head, row: run.row }
      writeRows(store, place, tokens.source, from, strides.row, run.count)
      from += run.count * strides.row
    }
  }
}
