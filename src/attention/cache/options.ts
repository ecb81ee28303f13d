/**
 * What a cache is made of, read from its options.
 * @module
 */
import { checkInteger, checkNames, checkObject, checkOneOf, orDefault, wrongValue } from '../check.ts'
import { OPEN, Storage } from '../plan.ts'
import type { Rolling } from './table.ts'

/** How a cache stores keys and values. */
export type CacheType = 'float32' | 'float16' | 'int8'

const TYPES: readonly CacheType[] = ['float32', 'float16', 'int8']

export interface KvCacheOptions {
  /** Items (sequences), each with a length of its own; default 1. */
  readonly batch?: number
  /** Heads of keys and values. */
  readonly kvHeads: number
  /** Channels of a key. */
  readonly headDim: number
  /** Channels of a value; default `headDim`. */
  readonly valueDim?: number
  /**
   * How keys and values are stored; default 'float32'.
   * 'float16' takes half the memory; numbers are rounded to the nearest, ties to even (outputs are off by about 1.4e-4).
   * 'int8' takes about a quarter: codes from -127 to 127 and one scale for each token and head, of keys and of values, so
   * that a number is off by at most 1/254 of the largest of its row (outputs by about 4e-3; 2e-2 with an outlier channel).
   */
  readonly type?: CacheType
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
  /** One of Storage. */
  readonly type: number
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
  const type = Storage[checkOneOf('type', orDefault(options.type, 'float32'), TYPES)]
  const headDim = size('headDim')
  return {
    type,
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
