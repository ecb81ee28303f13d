/**
 * The cases of the onnx wheel, as test/oracle/record-onnx.py wrote them down.
 * @module
 */
import { readFileSync } from 'node:fs'
import type {
  OnnxAttributes,
  OnnxInputs,
  OnnxOptions,
  OnnxOutputName,
  OnnxOutputs,
} from '../../src/onnx/index.ts'

interface Place {
  readonly type: string
  readonly dims: number[]
  /** First byte in the file of arrays. */
  readonly at: number
}

interface Recorded {
  readonly name: string
  readonly opset: NonNullable<OnnxOptions['opset']>
  readonly attributes: OnnxAttributes
  readonly inputs: Record<string, Place>
  readonly wanted: OnnxOutputName[]
  readonly outputs: Record<string, Place>
}

interface Recording {
  readonly made: Record<string, string>
  readonly collected: number
  readonly expanded: number
  readonly cases: Recorded[]
}

export type OnnxTensor = OnnxOutputs['Y']

export interface OnnxCase extends Omit<Recorded, 'inputs' | 'outputs'> {
  readonly inputs: OnnxInputs
  /** What the wheel expects; present keys and values put together from the inputs. */
  readonly outputs: Partial<Record<OnnxOutputName, OnnxTensor>>
}

const read = (name: string): Buffer =>
  readFileSync(new URL(`../fixtures/onnx/attention.${name}`, import.meta.url))

export const recording: Recording = JSON.parse(read('json').toString())
const bytes = Uint8Array.from(read('bin')).buffer

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  bool: Uint8Array,
  int64: BigInt64Array,
} as const

function tensorAt({ type, dims, at }: Place): OnnxTensor {
  const length = dims.reduce((size, dim) => size * dim, 1)
  const data = new ARRAYS[type as keyof typeof ARRAYS](bytes, at, length) as Float32Array
  return { data, dims, type: type as OnnxTensor['type'] }
}

const tensorsAt = (places: Record<string, Place>): Record<string, OnnxTensor> =>
  Object.fromEntries(Object.entries(places).map(([name, place]) => [name, tensorAt(place)]))

/** past, then what is new; element by element, as nothing here need be fast. */
function joined(past: OnnxTensor, fresh: OnnxTensor): OnnxTensor {
  const [batch, heads, pastRows, channels] = past.dims
  const rank3 = fresh.dims.length === 3
  const rows = fresh.dims[rank3 ? 1 : 2]
  const dims = [batch, heads, pastRows + rows, channels]
  const data = past.data.slice(0, 0).constructor as Float32ArrayConstructor
  const whole = new data(dims.reduce((size, dim) => size * dim, 1))
  for (let at = 0; at < whole.length; at++) {
    const c = at % channels
    const row = Math.floor(at / channels) % dims[2]
    const plane = Math.floor(at / channels / dims[2])
    const [b, h] = [Math.floor(plane / heads), plane % heads]
    const i = row - pastRows
    if (i < 0) whole[at] = past.data[(plane * pastRows + row) * channels + c]
    else if (rank3) whole[at] = fresh.data[((b * rows + i) * heads + h) * channels + c]
    else whole[at] = fresh.data[(plane * rows + i) * channels + c]
  }
  return { data: whole, dims, type: past.type }
}

export const onnxCases: readonly OnnxCase[] = recording.cases.map(recorded => {
  const inputs = tensorsAt(recorded.inputs)
  const outputs = tensorsAt(recorded.outputs)
  if (recorded.wanted.includes('present_key')) outputs.present_key = joined(inputs.past_key, inputs.K)
  if (recorded.wanted.includes('present_value')) outputs.present_value = joined(inputs.past_value, inputs.V)
  return { ...recorded, inputs: inputs as unknown as OnnxInputs, outputs }
})
