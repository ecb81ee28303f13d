/**
 * What a call attends to: keys and values as two tensors, or in a cache.
 * @module
 */
import type { Contents } from './cache/contents.ts'
import { contentsOf } from './cache/kv-cache.ts'
import type { PageTable } from './cache/table.ts'
import { wrongType, wrongValue } from './check.ts'
import { type Arrays, ITEM_WORDS, PAGE_KEYS, type Plan, rowRange } from './plan.ts'
import { readCachedShape, readShape, type Shape } from './shape.ts'
import { readTensor, type Source } from './tensor.ts'
import type { AttentionOptions } from './types.ts'

/** The arguments of a public function, not yet checked: (q, k, v, options?) or (q, cache, options?). */
export type Arguments = [q: unknown, k: unknown, v?: unknown, options?: unknown]

/** The same, told apart. */
export interface Call {
  readonly q: unknown
  readonly keys: Contents | { readonly k: unknown; readonly v: unknown }
  readonly options: unknown
}

export function readCall(...[q, k, v, options]: Arguments): Call {
  const cache = contentsOf('cache', k)
  if (cache === undefined) {
    if (Object.prototype.toString.call(k) === '[object KvCache]')
      throw wrongType('cache', 'a KvCache of this copy of selfsame (another copy is loaded beside it)', k)
    return { q, keys: { k, v }, options }
  }
  if (options !== undefined) throw wrongType('v', 'options, as a cache holds keys and values', v)
  return { q, keys: cache, options: v }
}

/** Keys and values, checked against q. */
export interface Operands {
  readonly shape: Shape
  readonly k: Arrays['k']
  readonly v: Arrays['v']
  readonly type: number
  readonly cache: Cached | undefined
}

/** What a plan has to know of a cache. */
export interface Cached {
  readonly table: PageTable
  readonly pages: Int32Array
  readonly pagesPerItem: number
  readonly kPage: number
  readonly vPage: number
  /** Keys that a rolling cache shows a query, its own included; undefined where it does not roll. */
  readonly window: number | undefined
  readonly sinkTokens: number
}

export function readOperands(q: Source, keys: Call['keys'], options: AttentionOptions): Operands {
  if ('pool' in keys) return fromCache(q, keys, options)
  const k = readTensor('k', keys.k)
  const v = readTensor('v', keys.v)
  return { shape: readShape(q, k, v, options), k: k.data, v: v.data, type: k.type, cache: undefined }
}

function fromCache(q: Source, { sizes, pool, table }: Contents, options: AttentionOptions): Operands {
  for (const name of ['kvHeads', 'keyLengths', 'cuSeqlens'] as const) {
    if (options[name] !== undefined)
      throw wrongValue(name, 'no such option beside a cache, which has its own', options[name])
  }
  if (sizes.rolling !== undefined && options.window !== undefined)
    throw wrongValue('window', 'no such option beside a rolling cache, which has its own', options.window)
  const axes = {
    batch: sizes.batch,
    heads: sizes.kvHeads,
    rows: table.lengths.reduce((most, length) => Math.max(most, length), 0),
  }
  const side = ({ channels, head }: typeof pool.keys) => ({
    ...axes,
    channels,
    strides: { batch: 0, head, row: channels },
  })
  const { pages, perItem } = table.flat()
  return {
    shape: readCachedShape(q, sizes.type, side(pool.keys), side(pool.values), options),
    k: pool.keys.data,
    v: pool.values.data,
    type: sizes.type,
    cache: {
      table,
      pages,
      pagesPerItem: perItem,
      kPage: pool.keys.page,
      vPage: pool.values.page,
      window: sizes.rolling?.window,
      sinkTokens: sizes.rolling?.sinkTokens ?? 0,
    },
  }
}

/** The words of a plan that say where its keys lie. */
export function pageWords(
  cache: Cached | undefined,
): Record<'pageKeys' | 'pagesPerItem' | 'kPage' | 'vPage' | 'sinkTokens', number> {
  if (cache === undefined) return { pageKeys: 0, pagesPerItem: 0, kPage: 0, vPage: 0, sinkTokens: 0 }
  const { pagesPerItem, kPage, vPage, sinkTokens } = cache
  return { pageKeys: PAGE_KEYS, pagesPerItem, kPage, vPage, sinkTokens }
}

/** Every key that a row sees by its position is still in the cache. */
export function checkRolled(plan: Plan, { table, sinkTokens }: Cached, argument: string): void {
  for (const [item, evicted] of table.evicted.entries()) {
    if (evicted === 0) continue
    const rows = plan.items[item * ITEM_WORDS.length + 2]
    for (let i = 0; i < rows; i++) {
      const [low, high] = rowRange(plan, item, i)
      if (Math.max(low, sinkTokens) >= Math.min(high, evicted)) continue
      throw new RangeError(
        `${argument}: expected query rows that see keys from ${evicted} on in item ${item}, as the rolling window has given back those before; got row ${i}, which sees keys from ${low} on`,
      )
    }
  }
}
