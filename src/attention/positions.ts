/**
 * Lengths, offsets, causal forms and windows, reduced to one contiguous key range per query row.
 * The rules are those of "Positions" and "Lengths" in ARCHITECTURE.md.
 * @module
 */
import {
  checkArray,
  checkEach,
  checkInteger,
  checkNames,
  checkObject,
  checkOneOf,
  orDefault,
  tagOf,
  wrongType,
  wrongValue,
} from './check.ts'
import type { Cached } from './operands.ts'
import { ITEM_WORDS, OPEN } from './plan.ts'
import type { Shape } from './shape.ts'
import type { AttentionOptions } from './types.ts'

export interface Positions {
  /** ITEM_WORDS per batch item. */
  readonly items: Int32Array
  readonly left: number
  readonly right: number
}

/** Where one item's tokens lie, and how many of them there are. */
interface Extent {
  readonly queryFirst: number
  readonly queries: number
  readonly keyFirst: number
  readonly keys: number
}

const MOST_OFFSET = 2 ** 30

/** Reads every option that says which keys a query row may see by position. */
export function readPositions(shape: Shape, options: AttentionOptions, cache: Cached | undefined): Positions {
  const causal = checkOneOf('causal', orDefault(options.causal, false), [
    false,
    true,
    'top-left',
    'bottom-right',
  ] as const)
  const window =
    cache?.window === undefined ? readWindow(options.window) : { left: cache.window - 1, right: OPEN }
  const positional = causal !== false || window !== EVERYWHERE || usesAlibi(options)
  const offsets = readOffsets(shape, options, causal, positional)
  const extents = readExtents(shape, options, cache)
  const keyLengths = readLengths('keyLengths', options.keyLengths, shape.batch, b => extents(b).keys)
  const queryLengths = readLengths('queryLengths', options.queryLengths, shape.batch, b => extents(b).queries)
  const leftPad = readLengths('leftPad', options.leftPad, shape.batch, b => extents(b).keys)

  const items = new Int32Array(shape.batch * ITEM_WORDS.length)
  for (let b = 0; b < shape.batch; b++) {
    const { queryFirst, queries, keyFirst, keys } = extents(b)
    const queryRows = queryLengths?.[b] ?? queries
    const keyEnd = keyLengths?.[b] ?? keys
    let position = 0
    if (offsets !== undefined) position = typeof offsets === 'number' ? offsets : offsets[b]
    else if (causal === 'bottom-right' || (cache && causal !== 'top-left')) position = keyEnd - queryRows
    else if (positional && causal !== 'top-left' && queries !== keys) throw unequal(causal, b, queries, keys)
    items.set(
      [queryFirst, queries, queryRows, keyFirst, keys, leftPad?.[b] ?? 0, keyEnd, position],
      b * ITEM_WORDS.length,
    )
  }
  return { items, left: window.left, right: causal === false ? window.right : Math.min(window.right, 0) }
}

function unequal(causal: boolean | string, item: number, queries: number, keys: number): RangeError {
  const name = causal === true ? 'causal' : 'queryOffset'
  const expected =
    "equal numbers of query rows and keys, or one of the three ways to say where the queries stand: causal: 'top-left', causal: 'bottom-right', queryOffset"
  return new RangeError(
    `${name}: expected ${expected}; got ${queries} query rows and ${keys} keys in item ${item}`,
  )
}

function usesAlibi(options: AttentionOptions): boolean {
  return options.alibi !== undefined && options.alibi !== false
}

const WINDOW_NAMES: ReadonlySet<string> = new Set(['left', 'right'])

interface Distances {
  readonly left: number
  readonly right: number
}

const EVERYWHERE: Distances = { left: OPEN, right: OPEN }

function readWindow(value: unknown): Distances {
  if (value === undefined) return EVERYWHERE
  const window = checkObject('window', value, 'an object { left?, right? }')
  checkNames('window', window, WINDOW_NAMES)
  if (window.left === undefined && window.right === undefined)
    throw wrongValue('window', 'left, right or both', value)
  return { left: distance('window.left', window.left), right: distance('window.right', window.right) }
}

function distance(argument: string, value: unknown): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return OPEN
  // Beyond 2^30 no key can be meant, and sums with positions stay within 32 bits.
  return Math.min(checkInteger(argument, value, 0, Number.MAX_SAFE_INTEGER), MOST_OFFSET)
}

function readOffsets(
  shape: Shape,
  options: AttentionOptions,
  causal: boolean | string,
  positional: boolean,
): number | Int32Array | undefined {
  const value = options.queryOffset
  if (value === undefined) return undefined
  if (causal === 'top-left' || causal === 'bottom-right') {
    throw wrongValue('queryOffset', `no such option beside causal '${causal}', which sets the offset`, value)
  }
  if (!positional) {
    throw wrongValue(
      'queryOffset',
      'an option that uses positions beside it (causal, window or alibi)',
      value,
    )
  }
  if (typeof value === 'number') return checkInteger('queryOffset', value, -MOST_OFFSET, MOST_OFFSET)
  const offsets = checkArray('queryOffset', value, 'Int32Array', shape.batch, 'batch item')
  checkEach('queryOffset', offsets, -MOST_OFFSET, MOST_OFFSET)
  return offsets
}

function readLengths(
  argument: string,
  value: unknown,
  batch: number,
  most: (item: number) => number,
): Int32Array | undefined {
  if (value === undefined) return undefined
  const lengths = checkArray(argument, value, 'Int32Array', batch, 'batch item')
  for (let b = 0; b < batch; b++) checkInteger(`${argument}[${b}]`, lengths[b], 0, most(b))
  return lengths
}

function readExtents(
  shape: Shape,
  options: AttentionOptions,
  cache: Cached | undefined,
): (item: number) => Extent {
  if (cache) {
    const { lengths } = cache.table
    return b => ({ queryFirst: 0, queries: shape.queries, keyFirst: 0, keys: lengths[b] })
  }
  const ragged = options.cuSeqlens
  if (ragged === undefined) {
    const dense = { queryFirst: 0, queries: shape.queries, keyFirst: 0, keys: shape.keys }
    return () => dense
  }
  const { q, k } = ragged
  checkAscending('cuSeqlens.q', q, shape.queries)
  checkAscending('cuSeqlens.k', k, shape.keys)
  return b => ({ queryFirst: q[b], queries: q[b + 1] - q[b], keyFirst: k[b], keys: k[b + 1] - k[b] })
}

function checkAscending(argument: string, starts: Int32Array, tokens: number): void {
  if (starts[0] !== 0) throw wrongValue(`${argument}[0]`, '0', starts[0])
  for (let i = 1; i < starts.length; i++) {
    if (starts[i] < starts[i - 1])
      throw wrongValue(`${argument}[${i}]`, `at least ${starts[i - 1]}, the one before`, starts[i])
  }
  const last = starts.length - 1
  if (starts[last] !== tokens)
    throw wrongValue(`${argument}[${last}]`, `${tokens}, the number of tokens`, starts[last])
}

const RAGGED_NAMES: ReadonlySet<string> = new Set(['q', 'k'])

/** The form of `cuSeqlens`, before its values are held against the tokens. */
export function checkCuSeqlens(value: unknown): void {
  const ragged = checkObject('cuSeqlens', value, 'an object { q, k } of Int32Array')
  checkNames('cuSeqlens', ragged, RAGGED_NAMES)
  for (const name of ['q', 'k'] as const) {
    const starts = ragged[name]
    if (tagOf(starts) !== 'Int32Array') throw wrongType(`cuSeqlens.${name}`, 'Int32Array', starts)
    if ((starts as Int32Array).length === 0)
      throw wrongValue(`cuSeqlens.${name}`, 'at least the leading 0', starts)
  }
  const { q, k } = ragged as { q: Int32Array; k: Int32Array }
  if (q.length !== k.length) throw wrongValue('cuSeqlens.k', `as many values as cuSeqlens.q (${q.length})`, k)
}

/** A "window of W keys, the query's own included" as inclusive distances: { left: W - 1 }. */
export function fromWindowSize(size: number): { left: number } {
  return { left: checkInteger('size', size, 1, Number.MAX_SAFE_INTEGER) - 1 }
}
