/**
 * What a call would do, in words and numbers; runs nothing.
 * @module
 */
import type { Backend, BackendName, Kernel } from '../backends/backend.ts'
import { type FeatureName, ITEM_WORDS, type Plan, rowBytes, rowRange } from './plan.ts'

export interface PlanDescription extends Kernel {
  /** The backend that would run the call. */
  readonly backend: BackendName
  readonly isa: string
  /** What the chosen backend lacks, when the reference would run the call instead. */
  readonly missing: readonly FeatureName[]
  /** Empty, or why another backend than the chosen one would run. */
  readonly reason: string
  readonly threads: number
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  readonly keys: number
  readonly headDim: number
  readonly valueDim: number
  /** Scores that count: pairs of query row and key inside the ranges, over all heads. */
  readonly pairs: number
  /** 2 * pairs * (headDim + valueDim). */
  readonly flops: number
  /** Bytes of q, k, v and output touched at least once. */
  readonly bytes: number
}

/** Describes a plan on the backend that would run it. */
export function describePlan(
  plan: Plan,
  backend: Backend,
  chosen: BackendName,
  missing: readonly FeatureName[],
): PlanDescription {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = plan
  const { pairs, rows, keysRead } = count(plan)
  return {
    backend: backend.name,
    isa: backend.isa,
    missing,
    reason: missing.length ? `backend ${chosen} has no kernel for ${missing.join(', ')} yet` : '',
    ...backend.describe(plan),
    threads: Math.min(plan.threads, backend.maxThreads),
    batch,
    heads,
    kvHeads,
    queries,
    keys,
    headDim,
    valueDim,
    pairs: pairs * heads,
    flops: 2 * pairs * heads * (headDim + valueDim),
    bytes:
      rows * heads * (rowBytes(plan.qType, headDim) + rowBytes(plan.outType, valueDim)) +
      keysRead * kvHeads * (rowBytes(plan.kvType, headDim) + rowBytes(plan.kvType, valueDim)),
  }
}

/** Pairs inside the ranges, query rows, and keys that any row sees, summed over items. */
function count(plan: Plan): { pairs: number; rows: number; keysRead: number } {
  let pairs = 0
  let rows = 0
  let keysRead = 0
  for (let item = 0; item < plan.batch; item++) {
    const [, queryTotal, queryRows, , , keyBegin] = plan.items.subarray(item * ITEM_WORDS.length)
    // Windows of neighbouring rows touch, and first keys begin where all do: what is read is two ranges at most.
    let first = Number.POSITIVE_INFINITY
    let end = 0
    let firstKeys = keyBegin
    for (let i = 0; i < queryRows; i++) {
      const [low, high] = rowRange(plan, item, i)
      const shown = Math.max(keyBegin, Math.min(plan.sinkTokens, high))
      const from = Math.max(low, shown)
      pairs += shown - keyBegin + Math.max(0, high - from)
      firstKeys = Math.max(firstKeys, shown)
      if (high <= from) continue
      first = Math.min(first, from)
      end = Math.max(end, high)
    }
    rows += queryTotal
    keysRead += firstKeys - keyBegin + Math.max(0, end - Math.max(first, firstKeys))
  }
  return { pairs, rows, keysRead }
}
