/**
 * The public class: keys and values of the tokens so far, for attention token by token.
 * @module
 */
import { checkNames, checkObject } from '../check.ts'
import { PAGE_KEYS, storageName } from '../plan.ts'
import type { TensorLike } from '../types.ts'
import { type AppendOptions, appendTokens } from './append.ts'
import { Contents } from './contents.ts'
import { addDispose, type Disposing } from './disposing.ts'
import { type CacheType, type KvCacheOptions, readCacheOptions, readMaxBytes } from './options.ts'
import { Pool } from './pool.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { PageTable } from './table.ts'
import { truncateTokens } from './truncate.ts'

const FROM_NAMES: ReadonlySet<string> = new Set(['maxBytes'])

/** What a cache holds, for the functions that attend to it; undefined for what is no KvCache of this copy of the package. */
export let contentsOf: (argument: string, value: unknown) => Contents | undefined

export interface KvCache extends Disposing {}

/**
 * A cache of keys and values, given to attention in their place: `attention(q, cache, options)`.
 * Append the keys and values of new tokens first, then attend with their queries: without `queryOffset`
 * the queries are the last tokens of every item.
 *
 * Storage is in pages of 256 tokens and grows by doubling. Forks share pages until one of them writes. A call in flight
 * keeps what it reads, so a cache may be changed before an `attentionAsync` over it has settled.
 *
 * @example
 * const cache = new KvCache({ kvHeads: 2, headDim: 64 })
 * cache.append(k, v)                                          // [1, 2, tokens, 64], the prompt
 * let out = attention(q, cache, { causal: true })             // [1, heads, tokens, 64]
 * cache.append(kNext, vNext)                                  // [1, 2, 1, 64], one more token
 * out = attention(qNext, cache, { causal: true })             // [1, heads, 1, 64]
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: no class can have a member that only some TypeScript libraries name
export class KvCache {
  static {
    contentsOf = (argument, value) =>
      typeof value === 'object' && value !== null && #contents in value
        ? (value as KvCache).#use(argument)
        : undefined
    addDispose(KvCache.prototype)
  }

  /** Absent once disposed. */
  #contents: Contents | undefined

  /**
   * An empty cache.
   * @param options sizes, limits and the rolling window
   * @throws TypeError or RangeError that names the option; `maxBytes` where `capacity` does not fit it
   * @example
   * new KvCache({ batch: 2, kvHeads: 8, headDim: 128, capacity: 2048, maxBytes: 2 ** 30 })
   * new KvCache({ kvHeads: 8, headDim: 128, window: 4096, sinkTokens: 4 })   // rolls: memory stays bounded
   * new KvCache({ kvHeads: 8, headDim: 128, type: 'int8' })                  // a quarter of the bytes, and of the reading
   */
  constructor(options: KvCacheOptions)
  constructor(options: KvCacheOptions | Contents) {
    if (options instanceof Contents) {
      this.#contents = options
      return
    }
    const { capacity, maxBytes, ...sizes } = readCacheOptions(options)
    const pool = new Pool(sizes, maxBytes)
    pool.reserve(sizes.batch * Math.ceil(capacity / PAGE_KEYS))
    this.#contents = new Contents(sizes, pool, new PageTable(pool, sizes.batch, sizes.rolling))
  }

  /**
   * A cache from the bytes of `snapshot()`.
   * @param options.maxBytes as in the constructor: limits belong to the host and are not part of a snapshot
   * @throws RangeError that names `bytes` and says why they are refused: damaged, cut short, longer, another version,
   * sizes that do not fit; `maxBytes` where the limit would be passed
   * @example
   * const restored = KvCache.from(await readFile('prompt.kv'), { maxBytes: 2 ** 30 })
   */
  static from(bytes: Uint8Array, options?: { readonly maxBytes?: number }): KvCache {
    const given = options === undefined ? {} : checkObject('options', options, 'an object { maxBytes? }')
    checkNames('options', given, FROM_NAMES)
    return wrap(readSnapshot(bytes, readMaxBytes(given.maxBytes)))
  }

  /**
   * Adds tokens behind those of every item. A call that throws changes nothing.
   * In a rolling cache this gives back what no row from the first new token on can see.
   * @param k keys [batch, kvHeads, tokens, headDim]; rank 3 [batch, tokens, kvHeads * headDim]; float32, or float16 into a
   * float16 cache
   * @param v values of the same tokens, with valueDim channels and k's type
   * @throws TypeError or RangeError that names the argument; `maxBytes` where the limit would be passed; `k.data` or `v.data`
   * where a finite number is beyond float16 (from 65520 on), or one for int8 is not finite
   * @example
   * cache.append(k, v, { lengths: Int32Array.of(5, 3) })        // 5 tokens of item 0, the first 3 of item 1
   */
  append(k: TensorLike, v: TensorLike, options?: AppendOptions): void {
    appendTokens(this.#use(), k, v, options)
  }

  /**
   * Forgets the tokens from `length` on: one length for all items (shorter ones stay as they are), or one per item.
   * @throws RangeError that names `length`: beyond the tokens there are, or so far back that the next token
   * would see keys which a rolling window has given back
   * @example
   * cache.truncate(cache.length - rejected)                     // drafted tokens that were not accepted
   */
  truncate(length: number | Int32Array): void {
    truncateTokens(this.#use(), length)
  }

  /**
   * A cache with the same tokens, which goes its own way from here. Nothing is copied before one of the two writes,
   * and then one page. The pages of a fork are free again when it is disposed.
   * @example
   * const branch = prompt.fork()                                // a conversation that begins with the prompt
   */
  fork(): KvCache {
    const { sizes, pool, table } = this.#use()
    return wrap(new Contents(sizes, pool, table.fork()))
  }

  /**
   * All that is in the cache, as bytes: a versioned, little-endian format with a checksum, for `KvCache.from`.
   * Limits (`maxBytes`, `capacity`) are not in it.
   * @example
   * await writeFile('prompt.kv', cache.snapshot())
   */
  snapshot(): Uint8Array {
    return writeSnapshot(this.#use())
  }

  /**
   * Gives the storage back; forks, and calls in flight, keep theirs. Every later use but another `dispose` throws.
   * Also as `[Symbol.dispose]`, for `using`, where the runtime has it.
   */
  dispose(): void {
    this.#contents?.table.clear()
    this.#contents = undefined
  }

  /** Tokens of the longest item, those included that a rolling window has given back. */
  get length(): number {
    return this.lengths.reduce((most, length) => Math.max(most, length), 0)
  }

  /** Tokens of every item; a copy. */
  get lengths(): Int32Array {
    return this.#use().table.lengths.slice()
  }

  /** Bytes of the pages that this cache uses. Pages shared with a fork count in both, though they are there once. */
  get bytes(): number {
    const { table, pool } = this.#use()
    return table.count * pool.pageBytes
  }

  /** Items (sequences). */
  get batch(): number {
    return this.#use().sizes.batch
  }

  /** Heads of keys and values. */
  get kvHeads(): number {
    return this.#use().sizes.kvHeads
  }

  /** Channels of a key. */
  get headDim(): number {
    return this.#use().sizes.headDim
  }

  /** Channels of a value. */
  get valueDim(): number {
    return this.#use().sizes.valueDim
  }

  /** How keys and values are stored. */
  get type(): CacheType {
    return storageName(this.#use().sizes.type) as CacheType
  }

  /** Keys that a query of a rolling cache sees, its own included; undefined where the cache does not roll. */
  get window(): number | undefined {
    return this.#use().sizes.rolling?.window
  }

  /** First tokens that stay visible behind the window. */
  get sinkTokens(): number {
    return this.#use().sizes.rolling?.sinkTokens ?? 0
  }

  get [Symbol.toStringTag](): string {
    return 'KvCache'
  }

  #use(argument = 'cache'): Contents {
    if (this.#contents === undefined)
      throw new TypeError(`${argument}: expected a KvCache in use, got one that was disposed`)
    return this.#contents
  }
}

function wrap(contents: Contents): KvCache {
  return new (KvCache as new (contents: unknown) => KvCache)(contents)
}
