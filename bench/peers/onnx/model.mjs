/**
 * An ONNX model of one attention node. Every dimension is left free, as in exported transformers, so
 * one session serves any length.
 */
import { float, integer, message, text } from './protobuf.mjs'

/** Field numbers of onnx.proto. */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 }
const OPSET = { domain: 1, version: 2 }
const GRAPH = { node: 1, name: 2, input: 11, output: 12 }
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5, domain: 7 }
const ATTRIBUTE = { name: 1, float: 2, integer: 3, kind: 20 }
const VALUE = { name: 1, type: 2 }
const TENSOR = { type: 1, elementType: 1, shape: 2, dimension: 1, dimensionName: 2 }

const FLOAT_KIND = 1
const INTEGER_KIND = 2
const ELEMENT = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 }
const IR_VERSION = 11

/**
 * @typedef {{ name: string, type: keyof typeof ELEMENT, rank: number }} Value
 * @typedef {{
 *   op: string, domain: '' | 'com.microsoft', opset: number,
 *   inputs: (Value | undefined)[], outputs: Value[],
 *   integers?: Record<string, number>, floats?: Record<string, number>,
 * }} Node an undefined input is one that is left out before a given one
 */

/** @param {number} field @param {Value} value */
function declare(field, { name, type, rank }) {
  const dimensions = Array.from({ length: rank }, (_, axis) =>
    message(TENSOR.dimension, [text(TENSOR.dimensionName, `${name}_${axis}`)]),
  )
  const tensor = [integer(TENSOR.elementType, ELEMENT[type]), message(TENSOR.shape, dimensions)]
  return message(field, [text(VALUE.name, name), message(VALUE.type, [message(TENSOR.type, tensor)])])
}

/** @param {Node} node @returns {Uint8Array} the bytes of a .onnx file */
export function onnxModel(node) {
  const { op, domain, opset, inputs, outputs, integers = {}, floats = {} } = node
  const attributes = [
    ...Object.entries(integers).map(([name, value]) => [
      text(ATTRIBUTE.name, name),
      integer(ATTRIBUTE.integer, value),
      integer(ATTRIBUTE.kind, INTEGER_KIND),
    ]),
    ...Object.entries(floats).map(([name, value]) => [
      text(ATTRIBUTE.name, name),
      float(ATTRIBUTE.float, value),
      integer(ATTRIBUTE.kind, FLOAT_KIND),
    ]),
  ]
  const body = [
    ...inputs.map(value => text(NODE.input, value?.name ?? '')),
    ...outputs.map(value => text(NODE.output, value.name)),
    text(NODE.name, 'attention'),
    text(NODE.type, op),
    ...attributes.map(fields => message(NODE.attribute, fields)),
    text(NODE.domain, domain),
  ]
  const graph = [
    message(GRAPH.node, body),
    text(GRAPH.name, 'attention'),
    ...inputs.filter(value => value !== undefined).map(value => declare(GRAPH.input, value)),
    ...outputs.map(value => declare(GRAPH.output, value)),
  ]
  /** @param {string} name @param {number} version */
  const opsetImport = (name, version) =>
    message(MODEL.opset, [text(OPSET.domain, name), integer(OPSET.version, version)])
  const model = [
    integer(MODEL.irVersion, IR_VERSION),
    text(MODEL.producer, 'selfsame-bench'),
    message(MODEL.graph, graph),
    opsetImport('', opset),
    opsetImport('com.microsoft', 1),
  ]
  return Uint8Array.from(model.flat())
}
