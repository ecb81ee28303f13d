/**
 * Calls like an earlier one: tensors of the same types and dims, and the same options, all of them plain values.
 * Such a call has the plan of the earlier one: nothing is laid out again, and beside the output, where the caller
 * brings none, nothing is allocated.
 *
 * What is remembered cannot change behind our back: numbers, strings and booleans, compared one by one at every
 * call. An option that is an object has contents that may change, so a call with one (but `out`) is never remembered.
 * Whatever does not fit to the last detail takes the long way, which says what is wrong with it.
 * @module
 */
import type { Backend, Prepared } from '../backends/backend.ts'
import { tagOf } from './check.ts'
import type { Arrays, Plan } from './plan.ts'
import type { Request } from './request.ts'
import { newTensor, overlaps } from './tensor.ts'
import type { AttentionOptions, Tensor } from './types.ts'

/** Encoder and decoder, prompt and step: a few shapes take turns in one model. */
const MOST = 8

type Data = Float32Array | Uint16Array
type Given = Record<string, unknown>

/** What a tensor of the earlier call was like. */
interface Like {
  readonly tag: string
  readonly type: unknown
  readonly dims: readonly number[]
  readonly length: number
}

interface Known {
  readonly plan: Plan
  readonly q: Like
  readonly k: Like
  readonly v: Like
  readonly out: Like | undefined
  readonly options: AttentionOptions
  readonly outDims: readonly number[]
  readonly backend: Backend
  readonly arrays: Arrays
  /** Made at the first repeat: most shapes of a sequence that grows come once. */
  run: Prepared | undefined
}

const NO_DATA = new Float32Array(0)
const NO_OPTIONS: AttentionOptions = {}

/** A memory of the calls of one function, whose option names are given. */
export class Repeats {
  private readonly calls: Known[] = []
  private oldest = 0
  private readonly names: ReadonlySet<string>

  constructor(names: ReadonlySet<string>) {
    this.names = names
  }

  /** Runs a call that is like an earlier one and returns its output; undefined where none is. */
  run(q: unknown, k: unknown, v: unknown, options: unknown = NO_OPTIONS): Tensor | undefined {
    if (this.calls.length === 0 || !isObject(q) || !isObject(k) || !isObject(v) || !isObject(options))
      return undefined
    for (const name in options) if (!this.names.has(name)) return undefined
    // Asked for once: what is compared is what runs, also of a tensor that makes its data when asked.
    const qData = q.data as Data
    const kData = k.data as Data
    const vData = v.data as Data
    const out = options.out
    const outData = isObject(out) ? (out.data as Data) : undefined
    for (const call of this.calls) {
      if (!isLike(call.q, q, qData) || !isLike(call.k, k, kData) || !isLike(call.v, v, vData)) continue
      if (out === undefined ? call.out !== undefined : !isLike(call.out, out as Given, outData)) continue
      if (!sameOptions(call.options, options)) continue
      if (outData && (overlaps(outData, qData) || overlaps(outData, kData) || overlaps(outData, vData)))
        return undefined
      const output = (out as Tensor | undefined) ?? newTensor(call.outDims, call.plan.outType)
      call.run ??= call.backend.prepare?.(call.plan) ?? byArrays(call)
      call.run(qData, kData, vData, outData ?? output.data)
      return output
    }
    return undefined
  }

  /** Remembers a call that went the long way, if it is one that may be. */
  keep(q: unknown, k: unknown, v: unknown, options: unknown, checked: Request, backend: Backend): void {
    const { plan, output, arrays, table } = checked
    if (table) return
    const given = (options ?? NO_OPTIONS) as Given
    const plain: Given = {}
    for (const name of this.names) {
      if (name === 'out' || given[name] === undefined) continue
      if (typeof given[name] === 'object') return
      plain[name] = given[name]
    }
    const { out } = given
    const like = { q: likeOf(q), k: likeOf(k), v: likeOf(v), out: out && likeOf(out) }
    if (!like.q || !like.k || !like.v || (out && !like.out)) return
    const none = { q: NO_DATA, k: NO_DATA, v: NO_DATA, out: NO_DATA }
    const known = { ...like, options: plain, backend, plan, outDims: [...output.dims], run: undefined }
    this.calls[this.oldest] = { ...known, arrays: { ...arrays, ...none } } as Known
    this.oldest = (this.oldest + 1) % MOST
  }
}

/** As any backend runs it; the arrays are filled for the time of a call only, so that nobody's are kept alive. */
function byArrays({ backend, plan, arrays }: Known): Prepared {
  return (q, k, v, out) => {
    arrays.q = q
    arrays.k = k
    arrays.v = v
    arrays.out = out
    try {
      backend.run(plan, arrays)
    } finally {
      arrays.q = arrays.k = arrays.v = arrays.out = NO_DATA
    }
  }
}

/** Name by name: in a loop over names this takes 300 ns, half of what a call may cost. `out` is not among them. */
function sameOptions(a: AttentionOptions, b: AttentionOptions): boolean {
  return (
    a.heads === b.heads &&
    a.kvHeads === b.kvHeads &&
    a.layout === b.layout &&
    a.scale === b.scale &&
    a.softcap === b.softcap &&
    a.causal === b.causal &&
    a.queryOffset === b.queryOffset &&
    a.window === b.window &&
    a.keep === b.keep &&
    a.drop === b.drop &&
    a.bias === b.bias &&
    a.alibi === b.alibi &&
    a.sinks === b.sinks &&
    a.keyLengths === b.keyLengths &&
    a.queryLengths === b.queryLengths &&
    a.leftPad === b.leftPad &&
    a.cuSeqlens === b.cuSeqlens &&
    a.precision === b.precision &&
    a.threads === b.threads
  )
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What may be remembered of a checked tensor; undefined of one that is read as another array than its own. */
function likeOf(value: unknown): Like | undefined {
  const { data, dims, type } = value as { data: Data; dims: unknown; type: unknown }
  const tag = tagOf(data)
  if (tag === undefined || tag === 'Float16Array' || data.length === 0 || !Array.isArray(dims))
    return undefined
  return { tag, type, dims: [...dims], length: data.length }
}

/** A detached array has no elements, and none that is remembered has none. */
function isLike(like: Like | undefined, tensor: Given, data: Data | undefined): boolean {
  if (like === undefined || data === undefined) return false
  const dims = tensor.dims
  if (!Array.isArray(dims) || dims.length !== like.dims.length) return false
  for (let i = 0; i < dims.length; i++) if (dims[i] !== like.dims[i]) return false
  return tensor.type === like.type && tagOf(data) === like.tag && data.length === like.length
}
