/**
 * Options to plan: one call, checked once, before any work.
 * @module
 */
import type { Backend } from '../backends/backend.ts'
import type { PageTable } from './cache/table.ts'
import {
  checkFinite,
  checkInteger,
  checkNames,
  checkObject,
  checkOneOf,
  orDefault,
  wrongType,
  wrongValue,
} from './check.ts'
import { type Look, readLook } from './look.ts'
import { readScores, type Scores } from './masks.ts'
import { type Call, checkRolled, pageWords, readOperands } from './operands.ts'
import { type Arrays, Feature, isHalf, makePlan, Output, type Plan, Storage, storageName } from './plan.ts'
import { checkCuSeqlens, type Positions, readPositions } from './positions.ts'
import type { Shape } from './shape.ts'
import { newTensor, overlaps, readTensor, type Source, sameDims } from './tensor.ts'
import type { Tensor, WeightsOptions } from './types.ts'

/** What a public function asks of a run, beside the caller's options. */
export interface Form {
  /** Option names that this function takes. */
  readonly names: ReadonlySet<string>
  /** Bits of Output. */
  readonly outputs: number
  /** Whether the output is float32 whatever q is. */
  readonly float32?: boolean
}

/** A checked call: the plan, the arrays it runs on, and the tensors to hand back. */
export interface Request {
  readonly plan: Plan
  readonly arrays: Arrays
  /** Of the cache that is read, if it is one. */
  readonly table?: PageTable
  readonly output: Tensor
  readonly lse?: Tensor
  readonly weights?: Tensor
  readonly scores?: Tensor
  readonly mass?: Tensor
}

const PRECISIONS = ['float32', 'int16', 'bfloat16', 'int8'] as const

/** What a call must know of its backend: the threads it may ask for. */
export type Host = Pick<Backend, 'name' | 'threads' | 'maxThreads'>

/** Checks the operands and every option, and lays out one run. Nothing is computed and no kernel is reached. */
export function request(form: Form, host: Host, call: Call): Request {
  const options = readOptions(form, call.options)
  const q = readTensor('q', call.q)
  if (options.cuSeqlens !== undefined) checkCuSeqlens(options.cuSeqlens)
  const { shape, k, v, type, cache } = readOperands(q, call.keys, options)
  const positions = readPositions(shape, options, cache)
  const scores = readScores(shape, options)
  const look = readLook(form.outputs, form.names.has('want'), shape, options, cache?.window !== undefined)
  const scale =
    options.scale === undefined ? 1 / Math.sqrt(shape.headDim) : checkFinite('scale', options.scale)
  const precision = checkOneOf('precision', orDefault(options.precision, 'float32'), PRECISIONS)
  const threads = readThreads(options.threads, host)

  const outType = form.float32 ? Storage.float32 : q.type
  const arrays: Arrays = {
    q: q.data,
    k,
    v,
    pages: cache?.pages,
    keep: scores.keep.data,
    drop: scores.drop.data,
    bias: scores.bias.data,
    alibi: scores.alibi,
    sinks: scores.sinks,
    rows: options.rows,
  }
  if (options.out !== undefined) arrays.out = readOut(options.out, shape, outType, arrays)
  const output = (options.out as Tensor | undefined) ?? newTensor(shape.outDims, outType)
  arrays.out ??= output.data
  const show = (output: number, dims: readonly number[]): Tensor | undefined =>
    look.outputs & output ? newTensor(dims, Storage.float32) : undefined
  const { maskBatch, heads, keys } = shape
  const lse = show(Output.lse, shape.lseDims)
  const weights = show(Output.weights, [maskBatch, heads, look.rows, keys])
  const shown = show(Output.scores, [maskBatch, heads, look.rows, keys])
  const mass = show(Output.mass, [maskBatch, heads, keys])
  arrays.lse = lse?.data as Float32Array | undefined
  arrays.weights = weights?.data as Float32Array | undefined
  arrays.scores = shown?.data as Float32Array | undefined
  arrays.mass = mass?.data as Float32Array | undefined

  const features =
    scores.features |
    look.features |
    ([q.type, type, scores.bias.type].some(isHalf) ? Feature.half : 0) |
    (precision === 'float32' ? 0 : Feature[precision]) |
    (cache ? Feature.pages : 0)
  const plan = layOut(shape, positions, scores, look, {
    pages: pageWords(cache),
    scale,
    qType: q.type,
    kvType: type,
    outType,
    features,
    threads,
  })
  if (cache) checkRolled(plan, cache, options.queryOffset === undefined ? 'q.dims' : 'queryOffset')
  return { plan, arrays, table: cache?.table, output, lse, weights, scores: shown, mass }
}

function readOptions(form: Form, value: unknown): WeightsOptions {
  if (value === undefined) return {}
  const options = checkObject('options', value, 'an object of options')
  if (options.dropout !== undefined) {
    throw wrongValue(
      'dropout',
      'no dropout (it comes with training, and this version only infers)',
      options.dropout,
    )
  }
  if (options.signal !== undefined && !form.names.has('signal')) {
    throw wrongType(
      'signal',
      'no signal (a synchronous call cannot be aborted; attentionAsync can)',
      options.signal,
    )
  }
  checkNames('options', options, form.names)
  return options as WeightsOptions
}

function readThreads(value: unknown, host: Host): number {
  if (value === undefined) return host.threads
  const threads = checkInteger('threads', value, 1, 1024)
  if (threads > host.maxThreads) {
    throw wrongValue('threads', `at most ${host.maxThreads} on backend ${host.name}`, threads)
  }
  return threads
}

function readOut(value: unknown, shape: Shape, type: number, inputs: Arrays): Source['data'] {
  const out: Source = readTensor('out', value)
  if (out.type !== type)
    throw wrongType('out.type', `${storageName(type)}, the type of the output`, storageName(out.type))
  if (!sameDims(out.dims, shape.outDims))
    throw wrongValue('out.dims', `[${shape.outDims.join(', ')}]`, [...out.dims])
  for (const name in inputs) {
    const input = inputs[name as keyof Arrays]
    if (input !== undefined && overlaps(out.data, input)) {
      throw wrongValue('out.data', `memory of its own (it overlaps ${name})`, out.data)
    }
  }
  return out.data
}

interface Words {
  readonly pages: ReturnType<typeof pageWords>
  readonly scale: number
  readonly qType: number
  readonly kvType: number
  readonly outType: number
  readonly features: number
  readonly threads: number
}

function layOut(shape: Shape, positions: Positions, scores: Scores, look: Look, words: Words): Plan {
  const { keep, drop, bias } = scores
  const ragged = shape.maskBatch !== shape.batch
  const head = look.rows * shape.keys
  return makePlan(
    {
      batch: shape.batch,
      heads: shape.heads,
      kvHeads: shape.kvHeads,
      queries: shape.queries,
      keys: shape.keys,
      headDim: shape.headDim,
      valueDim: shape.valueDim,
      qBatch: shape.q.batch,
      qHead: shape.q.head,
      qRow: shape.q.row,
      kBatch: shape.k.batch,
      kHead: shape.k.head,
      kRow: shape.k.row,
      vBatch: shape.v.batch,
      vHead: shape.v.head,
      vRow: shape.v.row,
      pageKeys: words.pages.pageKeys,
      pagesPerItem: words.pages.pagesPerItem,
      kPage: words.pages.kPage,
      vPage: words.pages.vPage,
      oBatch: shape.out.batch,
      oHead: shape.out.head,
      oRow: shape.out.row,
      lseBatch: shape.lse.batch,
      lseHead: shape.lse.head,
      lseRow: shape.lse.row,
      scale: words.scale,
      softcap: scores.softcap,
      left: positions.left,
      right: positions.right,
      sinkTokens: words.pages.sinkTokens,
      qType: words.qType,
      kvType: words.kvType,
      outType: words.outType,
      biasType: bias.type,
      keepBatch: keep.batch,
      keepHead: keep.head,
      keepRow: keep.row,
      keepKey: keep.key,
      keepBits: keep.bits,
      dropBatch: drop.batch,
      dropHead: drop.head,
      dropRow: drop.row,
      dropKey: drop.key,
      dropBits: drop.bits,
      biasBatch: bias.batch,
      biasHead: bias.head,
      biasRow: bias.row,
      biasKey: bias.key,
      weightsBatch: ragged ? 0 : shape.heads * head,
      weightsHead: head,
      weightsRow: shape.keys,
      massBatch: ragged ? 0 : shape.heads * shape.keys,
      massHead: shape.keys,
      outputs: look.outputs,
      scoresAt: look.scoresAt,
      features: words.features,
      threads: words.threads,
    },
    positions.items,
  )
}
