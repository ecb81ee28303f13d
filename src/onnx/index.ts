/**
 * `selfsame/onnx`: the ONNX operator `Attention` on this package's kernels, for people who port graphs.
 * @module
 */
import { checkNames, checkObject, checkOneOf, orDefault, wrongType, wrongValue } from '../attention/check.ts'
import { Storage, storageName } from '../attention/plan.ts'
import type { Source } from '../attention/tensor.ts'
import type { AttentionOptions, Tensor, WeightsOptions } from '../attention/types.ts'
import * as entry from '../index.ts'
import { toBfloat16, toFloat16 } from '../numeric/half.ts'
import { concatenate, joinHeads, splitHeads } from './heads.ts'
import { readMask } from './mask.ts'
import { type Node, readNode } from './node.ts'
import type { OnnxAttributes, OnnxInputs, OnnxOptions, OnnxOutputName, OnnxOutputs } from './types.ts'

export type { OnnxAttributes, OnnxInputs, OnnxOptions, OnnxOutputName, OnnxOutputs } from './types.ts'

const OUTPUTS = ['Y', 'present_key', 'present_value', 'qk_matmul_output'] as const
const OPTION_NAMES: ReadonlySet<string> = new Set(['opset', 'outputs', 'attention', 'doubleSoftmax'])

/** What `qk_matmul_output_mode` asks of `attentionWeights`. */
const LOOKS: readonly WeightsOptions[] = [
  { want: ['scores'], scoresAt: 'scaled' },
  { want: ['scores'], scoresAt: 'capped' },
  { want: ['scores'], scoresAt: 'masked' },
  { want: ['weights'] },
]

/**
 * One node of the ONNX operator `Attention`, opsets 23, 24 and 25
 * (https://onnx.ai/onnx/operators/onnx__Attention.html, in the reading of onnx 1.23).
 *
 * Scores are scale * Q Kᵀ, then softcap, then attn_mask, is_causal, the window and nonpad_kv_seqlen; softmax; times V.
 * Query row i stands at i + offset: offset is the length of the past, else nonpad_kv_seqlen[b] - queries, else 0.
 * A row with nothing to attend to gives 0. Query head h reads key/value head floor(h * kv_num_heads / q_num_heads).
 *
 * Arithmetic is float32 (softmax too) whatever the tensors' type, so half types come out closer to the exact result
 * than the operator's own definition, which rounds after every step. double tensors, integer masks and a V of another
 * type than K are refused by name.
 *
 * @param inputs tensors by the operator's names; those of onnxruntime fit as they are
 * @param attributes the node's attributes
 * @param options the opset, which outputs are wanted, and the backend
 * @returns Y of Q's rank and type, and what else is wanted
 * @throws TypeError or RangeError that names the input or attribute, what was expected and what came
 * @example
 * const { Y } = onnxAttention({ Q, K, V, attn_mask }, { is_causal: 1 }, { opset: 23 })
 */
export function onnxAttention(
  inputs: OnnxInputs,
  attributes: OnnxAttributes = {},
  options: OnnxOptions = {},
): OnnxOutputs {
  checkNames('options', checkObject('options', options, 'an object of options'), OPTION_NAMES)
  const opset = checkOneOf('opset', orDefault(options.opset, 25), [23, 24, 25])
  const takesDouble = checkOneOf('doubleSoftmax', options.doubleSoftmax, [undefined, 'float32']) === 'float32'
  const node = readNode(inputs, attributes, opset, takesDouble)
  const wanted = readWanted(options.outputs, node)
  const backend = orDefault(options.attention, entry)

  const { batch, heads, queries, past, keys } = node.sizes
  const least = node.nonpad?.reduce((most, length) => Math.max(most, length), 0) ?? 0
  const mask = readMask(inputs.attn_mask, [batch, heads, queries, past + keys], least)
  const { q, k, v, shape } = tensorsOf(node, wanted)
  const call = { ...shape, ...optionsOf(node), ...mask }
  const [qt, kt, vt] = [q, k, v].map(toTensor)
  if (!wanted.has('qk_matmul_output')) {
    const output = backend.attention(qt, kt, vt, call)
    return { Y: ofRank(node, output, q.dims.length), ...presentOf(k, v, wanted) }
  }
  const seen = backend.attentionWeights(qt, kt, vt, { ...call, ...LOOKS[node.mode] })
  return {
    Y: ofRank(node, seen.output, q.dims.length),
    ...presentOf(k, v, wanted),
    qk_matmul_output: narrowed((seen.scores ?? seen.weights)!, node.Q.type),
  }
}

function readWanted(value: unknown, { past, nonpad }: Node): ReadonlySet<OnnxOutputName> {
  if (value === undefined) return new Set(past ? ['Y', 'present_key', 'present_value'] : ['Y'])
  if (!Array.isArray(value)) throw wrongType('outputs', 'an array of names of outputs', value)
  for (const [n, name] of value.entries()) checkOneOf(`outputs[${n}]`, name, OUTPUTS)
  const wanted = new Set<OnnxOutputName>(value)
  const present = value.find(name => name.startsWith('present_'))
  if (present && nonpad)
    throw wrongValue('outputs', 'no present key or value beside nonpad_kv_seqlen', present)
  return wanted
}

interface Tensors {
  readonly q: Source
  readonly k: Source
  readonly v: Source
  readonly shape: Pick<AttentionOptions, 'heads' | 'kvHeads'>
}

/** Q, and the keys and values with their past: rank 3 as it is, unless heads must become an axis for the past. */
function tensorsOf(node: Node, wanted: ReadonlySet<OnnxOutputName>): Tensors {
  const { Q, K, V, rank, past } = node
  const { heads, kvHeads } = node.sizes
  const present = past !== undefined || wanted.has('present_key') || wanted.has('present_value')
  if (rank === 3 && !present) return { q: Q, k: K, v: V, shape: { heads, kvHeads } }
  const [q, k, v] =
    rank === 4 ? [Q, K, V] : [splitHeads(Q, heads), splitHeads(K, kvHeads), splitHeads(V, kvHeads)]
  if (!past) return { q, k, v, shape: {} }
  return { q, k: concatenate(past.key, k), v: concatenate(past.value, v), shape: {} }
}

/** What the attributes, the past and nonpad_kv_seqlen mean in our words. */
function optionsOf({ causal, left, right, scale, softcap, nonpad, sizes }: Node): AttentionOptions {
  const windowed = left >= 0 || right >= 0
  const offset = nonpad?.map(length => length - sizes.queries) ?? sizes.past
  return {
    ...(scale !== undefined && { scale }),
    softcap,
    ...(causal && { causal }),
    ...(windowed && { window: { ...(left >= 0 && { left }), ...(right >= 0 && { right }) } }),
    ...((causal || windowed) && { queryOffset: offset }),
    ...(nonpad && { keyLengths: nonpad }),
  }
}

function toTensor({ data, dims, type }: Source): Tensor {
  return { data, dims, type: storageName(type) as Tensor['type'] }
}

/** The output with its heads beside the channels again, where Q came so. */
function ofRank({ rank, Q }: Node, output: Tensor, rankRun: number): Tensor {
  return rank === rankRun ? output : toTensor(joinHeads({ ...output, type: Q.type }))
}

function presentOf(
  k: Source,
  v: Source,
  wanted: ReadonlySet<OnnxOutputName>,
): Pick<OnnxOutputs, 'present_key' | 'present_value'> {
  return {
    ...(wanted.has('present_key') && { present_key: toTensor(k) }),
    ...(wanted.has('present_value') && { present_value: toTensor(v) }),
  }
}

/** Float32 scores or weights in the type that the operator gives them. */
function narrowed(seen: Tensor, type: number): Tensor {
  if (type === Storage.float32) return seen
  const data = Uint16Array.from(seen.data, type === Storage.float16 ? toFloat16 : toBfloat16)
  return toTensor({ data, dims: seen.dims, type })
}
