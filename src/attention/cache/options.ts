/**
 * What a cache is made of, read from its options.
 * @module
 */
import { checkInteger, checkNames, checkObject, orDefault, wrongType, wrongValue } from '../check.ts'
import { OPEN } from '../plan.ts'
import type { Rolling } from './table.ts'

export interface KvCacheOptions {
  /** Items (sequences), each with a length of its own; default 1. */
  readonly batch?: number
  /** Heads of keys and values. */
  readonly kvHeads: number
  /** Channels of a key. */
  readonly headDim: number
  /** Channels of a value; default `headDim`. */
  readonly valueDim?: number
  /** How keys and values are stored; this version has float32. */
  readonly type?: 'float32'
  /** Tokens per item to make room for at once, saving growth on the way; default 0. */
  readonly capacity?: number
  /** Makes the cache roll: a query sees so many keys, its own included, and older ones are given back. */
  readonly window?: number
  /** The first tokens of every item, which stay visible however far the window has rolled; default 0. */
  readonly sinkTokens?: number
  /** The most bytes that the storage of this cache and its forks may take; default no limit. */
  readonly maxBytes?: number
}

/** Sizes of a cache, checked. */
export interface Sizes {
  readonly batch: number
  readonly kvHeads: number
  readonly headDim: number
  readonly valueDim: number
  readonly rolling: Rolling | undefined
}

/** More tokens than an item can have: positions and their sums stay within 32 bits. */
export const MOST_TOKENS: number = 2 ** 30

const NAMES: ReadonlySet<string> = new Set([
  'batch',
  'kvHeads',
  'headDim',
  'valueDim',
  'type',
  'capacity',
  'window',
  'sinkTokens',
  'maxBytes',
] satisfies (keyof KvCacheOptions)[])

/** Checks every option by name; throws TypeError or RangeError. */
export function readCacheOptions(value: unknown): Sizes & { capacity: number; maxBytes: number | undefined } {
  const options = checkObject('options', value, 'an object { kvHeads, headDim, … }')
  checkNames('options', options, NAMES)
  const size = (name: keyof KvCacheOptions, standard?: number): number =>
    checkInteger(name, orDefault(options[name], standard), 1, OPEN - 1)
  checkType(options.type)
  const headDim = size('headDim')
  return {
    batch: size('batch', 1),
    kvHeads: size('kvHeads'),
    headDim,
    valueDim: size('valueDim', headDim),
    rolling: readRolling(options.window, options.sinkTokens),
    capacity: checkInteger('capacity', orDefault(options.capacity, 0), 0, MOST_TOKENS),
    maxBytes: readMaxBytes(options.maxBytes),
  }
}

/** A limit in bytes, or none. */
export function readMaxBytes(value: unknown): number | undefined {
  return value === undefined ? undefined : checkInteger('maxBytes', value, 0, Number.MAX_SAFE_INTEGER)
}

function readRolling(window: unknown, sinkTokens: unknown): Rolling | undefined {
  const first = checkInteger('sinkTokens', orDefault(sinkTokens, 0), 0, MOST_TOKENS)
  if (window !== undefined)
    return { window: checkInteger('window', window, 1, MOST_TOKENS), sinkTokens: first }
  if (first > 0) throw wrongValue('sinkTokens', 'a window beside it (without one every token stays)', first)
  return undefined
}

function checkType(type: unknown): void {
  if (type === undefined || type === 'float32') return
  if (type === 'float16' || type === 'int8')
    throw wrongValue('type', `'float32' (this version stores no ${type} caches)`, type)
  throw typeof type === 'string'
    ? wrongValue('type', "'float32'", type)
    : wrongType('type', "'float32'", type)
}
