/**
 * The plan: everything a backend needs to know of one call, checked once and frozen.
 * It is flat on purpose: every field is a number, so a kernel in any language reads it as a row of words.
 * @module
 */

/**
 * Storage types of tensors, and int8 of a cache. Arithmetic of softmax is float32 whatever they are.
 * int8 comes in pages alone: a page holds, of every head, pageKeys rows of codes, then their pageKeys scales (float32);
 * a number is its code times the scale of its row, which is exactly a float32 (src/numeric/int8.ts).
 */
export const Storage = { float32: 0, float16: 1, bfloat16: 2, int8: 3 } as const

/** The name of a storage type. */
export function storageName(type: number): string {
  return Object.keys(Storage)[type]
}

/** Bytes of the scale of a row of int8. */
export const SCALE_BYTES = 4

export function isHalf(type: number): boolean {
  return type === Storage.float16 || type === Storage.bfloat16
}

/** Bytes of a row of numbers of a storage type, its scale included. */
export function rowBytes(type: number, channels: number): number {
  if (type === Storage.int8) return channels + SCALE_BYTES
  return channels * (type === Storage.float32 ? 4 : 2)
}

/** Keys of a page of a cache are a multiple of this: no kernel's block of keys reaches over the edge of one. */
export const PAGE_KEYS = 256

/** A window edge that is open, in keys. Larger than any distance a call can have. */
export const OPEN = 0x7fff_ffff

/** What a run is to fill in; a bit set in `plan.outputs`. */
export const Output = { output: 1, lse: 2, weights: 4, scores: 8, mass: 16 } as const

/** At which step of the pipeline `scores` are read. */
export const ScoresAt = { scaled: 0, capped: 1, masked: 2 } as const

/**
 * What a plan asks for beyond dense attention over one contiguous range of keys per query row.
 * Causal forms, windows, offsets, lengths, left pads and ragged batches all reduce to such ranges
 * (`rowRange`), so they are no features: a backend that runs at all runs them. `pages` is a cache, with all that
 * comes with one: keys in pages, and first tokens that a window never hides.
 */
export const Feature = {
  softcap: 0x1,
  bias: 0x2,
  keep: 0x4,
  drop: 0x8,
  alibi: 0x10,
  sinks: 0x20,
  half: 0x40,
  weights: 0x80,
  scores: 0x100,
  mass: 0x200,
  int16: 0x400,
  bfloat16: 0x800,
  int8: 0x1000,
  pages: 0x2000,
} as const
export type FeatureName = keyof typeof Feature

/** The features that are precisions below float32. */
export const QUANTISED: number = Feature.int16 | Feature.bfloat16 | Feature.int8

/**
 * The words of a plan, in the order in which kernels read them (native/attention/plan.h and
 * assembly/plan.ts hold the same list; a test compares the three).
 * Strides are in elements; channels are always contiguous. A stride of 0 broadcasts.
 */
export const PLAN_WORDS = [
  'batch',
  'heads',
  'kvHeads',
  'queries',
  'keys',
  'headDim',
  'valueDim',
  'qBatch',
  'qHead',
  'qRow',
  'kBatch',
  'kHead',
  'kRow',
  'vBatch',
  'vHead',
  'vRow',
  'pageKeys',
  'pagesPerItem',
  'kPage',
  'vPage',
  'oBatch',
  'oHead',
  'oRow',
  'lseBatch',
  'lseHead',
  'lseRow',
  'scale',
  'softcap',
  'left',
  'right',
  'sinkTokens',
  'qType',
  'kvType',
  'outType',
  'biasType',
  'keepBatch',
  'keepHead',
  'keepRow',
  'keepKey',
  'keepBits',
  'dropBatch',
  'dropHead',
  'dropRow',
  'dropKey',
  'dropBits',
  'biasBatch',
  'biasHead',
  'biasRow',
  'biasKey',
  'weightsBatch',
  'weightsHead',
  'weightsRow',
  'massBatch',
  'massHead',
  'outputs',
  'scoresAt',
  'features',
  'threads',
] as const
export type PlanWord = (typeof PLAN_WORDS)[number]

/**
 * - `batch` counts items (sequences); `queries` and `keys` are rows of the tensors per item, or the
 *   total of tokens where the batch is ragged (the batch strides are then 0 and items name first tokens).
 * - `left`, `right`: inclusive distances of the window, OPEN where there is none; causal is `right <= 0`.
 * - `sinkTokens`: so many first keys of every item stay visible behind the window's left edge (a rolling cache).
 * - `pageKeys`: 0 where the keys of an item lie in one piece. Otherwise k and v are pools of pages of so many keys
 *   (a multiple of PAGE_KEYS), kBatch and vBatch are 0, and key j of item b and head h begins at
 *   pages[b * pagesPerItem + floor(j / pageKeys)] * kPage + h * kHead + (j % pageKeys) * kRow; v likewise.
 * - masks (`keep`, `drop`, `bias`) are read at [item, head, first query + i, first key + j] by their strides;
 *   with `keepBits`/`dropBits` 1 a row is a run of Uint32 words, bit 0 the first key, and the row stride counts words.
 * - weights and scores are written at [item, head, slot, first key + j], where slot counts the selected rows.
 */
export type Plan = Readonly<Record<PlanWord, number>> & {
  /** The same numbers as above, in the order of PLAN_WORDS. */
  readonly words: Float64Array
  /** ITEM_WORDS integers per batch item. */
  readonly items: Int32Array
}

/**
 * The integers of one item, in order:
 * first query token, query rows in the tensor, query rows that count (the others give 0 and lse -inf),
 * first key token, keys in the tensor, begin and end of the valid keys (relative to the first), position of query row 0.
 */
export const ITEM_WORDS = [
  'queryFirst',
  'queryTotal',
  'queryRows',
  'keyFirst',
  'keyTotal',
  'keyBegin',
  'keyEnd',
  'position',
] as const

/** Keys or values: half types arrive as their bits, int8 as pages of codes and scales. */
export type Stored = Float32Array | Uint16Array | Int8Array

/** The arrays of a call. Absent ones are undefined. */
export interface Arrays {
  q: Float32Array | Uint16Array
  k: Stored
  v: Stored
  out?: Float32Array | Uint16Array
  lse?: Float32Array
  keep?: Uint8Array | Uint32Array
  drop?: Uint8Array | Uint32Array
  bias?: Float32Array | Uint16Array
  /** Slopes, one per query head. */
  alibi?: Float32Array
  /** Sink logits, one per query head. */
  sinks?: Float32Array
  /** Pages of every item in the pools k and v, pagesPerItem each; -1 where no row may look. */
  pages?: Int32Array
  /** Selected query rows for weights and scores, ascending or not; absent means all. */
  rows?: Int32Array
  weights?: Float32Array
  scores?: Float32Array
  mass?: Float32Array
}

/**
 * Makes a plan of its numbers, in place: a copy of so many properties takes 8 us, half of all that a call costs
 * beside its kernel.
 */
export function makePlan(fields: Record<PlanWord, number>, items: Int32Array): Plan {
  const words = new Float64Array(PLAN_WORDS.length)
  for (let i = 0; i < words.length; i++) words[i] = fields[PLAN_WORDS[i]]
  return Object.freeze(Object.assign(fields, { words, items }))
}

/**
 * The keys [low, high) that query row i of an item sees through the window; empty where high <= low.
 * Beside them it sees the keys [keyBegin, min(sinkTokens, high)).
 */
export function rowRange(plan: Plan, item: number, i: number): [low: number, high: number] {
  const at = item * ITEM_WORDS.length
  const begin = plan.items[at + 5]
  const end = plan.items[at + 6]
  const position = plan.items[at + 7] + i
  return [
    plan.left === OPEN ? begin : Math.max(begin, position - plan.left),
    plan.right === OPEN ? end : Math.min(end, position + plan.right + 1),
  ]
}
