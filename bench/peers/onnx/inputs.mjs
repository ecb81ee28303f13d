/** What is handed to an ONNX node, named and typed, with the memory it stands in. */
import { toHalf } from '../common/half.mjs'

/**
 * @typedef {import('./model.mjs').Node} Node
 * @typedef {import('./model.mjs').Value} Value
 * @typedef {Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array} Data
 * @typedef {{ name: string, type: Value['type'], data: Data, dims: number[] }} Input
 * @typedef {{ name: string, rank: number }} Output
 * @typedef {{ inputs: Input[], result: string }} Call
 * @typedef {{ node: Node, call: Call, unpack(output: Float32Array): Float32Array }} Built
 * @typedef {{ how: string, build(): Built }} OnnxWay built when its turn comes: large inputs in all arrangements at once would not fit
 */

/** @param {string} name @param {Float32Array} data @param {...number} dims @returns {Input} */
export const floats = (name, data, ...dims) => ({ name, type: 'float32', data, dims })

/** @param {string} name @param {number[]} data @param {...number} dims @returns {Input} */
export const int32s = (name, data, ...dims) => ({ name, type: 'int32', data: Int32Array.from(data), dims })

/** @param {string} name @param {number[]} data @param {...number} dims @returns {Input} */
export const int64s = (name, data, ...dims) => ({
  name,
  type: 'int64',
  data: BigInt64Array.from(data, BigInt),
  dims,
})

/**
 * A node that declares exactly what it is given. The first output is the result.
 * @param {Pick<Node, 'op' | 'domain' | 'opset' | 'integers' | 'floats'>} operator
 * @param {(Input | undefined)[]} inputs @param {Output[]} outputs
 * @param {(output: Float32Array) => Float32Array} unpack @returns {Built}
 */
export function build(operator, inputs, outputs, unpack) {
  const node = {
    ...operator,
    inputs: inputs.map(input => input && { name: input.name, type: input.type, rank: input.dims.length }),
    outputs: outputs.map(output => ({ ...output, type: /** @type {const} */ ('float32') })),
  }
  const given = inputs.filter(input => input !== undefined)
  return { node, call: { inputs: given, result: outputs[0].name }, unpack }
}

/** The same with every float32 tensor in float16. @param {Built} built @returns {Built} */
export function inFloat16({ node, call, unpack }) {
  /** @template {{ type: Value['type'] }} T @param {T} value @returns {T} */
  const retype = value => (value.type === 'float32' ? { ...value, type: 'float16' } : value)
  return {
    node: {
      ...node,
      inputs: node.inputs.map(value => value && retype(value)),
      outputs: node.outputs.map(retype),
    },
    call: {
      ...call,
      inputs: call.inputs.map(input =>
        input.data instanceof Float32Array ? { ...retype(input), data: toHalf(input.data) } : input,
      ),
    },
    unpack,
  }
}
