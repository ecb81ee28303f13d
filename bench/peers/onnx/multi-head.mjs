/** Ways through the contrib operator `MultiHeadAttention`: queries rows first, as its projections leave them. */
import { swapHeadsAndRows } from '../common/layout.mjs'
import { attendsAll, isSquareCausal } from '../common/scores.mjs'
import { build, floats, int32s } from './inputs.mjs'
import { floatMask } from './masks.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('./inputs.mjs').Input} Input
 * @typedef {import('./inputs.mjs').OnnxWay} OnnxWay
 */

/** @param {Work} work as many key as query heads @returns {OnnxWay[]} */
export function multiHeadWays(work) {
  const { shape, q, k, v } = work
  const { batch, heads, queries, keys, headDim, valueDim, keyLengths } = shape
  /** @param {string} name @param {Float32Array} data @param {number} count rows @param {number} dim */
  const byRow = (name, data, count, dim) =>
    floats(name, swapHeadsAndRows(data, batch, heads, count, dim), batch, count, heads * dim)
  const rowsFirst = () => [byRow('key', k, keys, headDim), byRow('value', v, keys, valueDim)]
  const headsFirst = () => [
    floats('key', k, batch, heads, keys, headDim),
    floats('value', v, batch, heads, keys, valueDim),
  ]
  /** @param {string} how @param {() => (Input | undefined)[]} optional @param {number} unidirectional @returns {OnnxWay[]} */
  const both = (how, optional = () => [], unidirectional = 0) => {
    /** @param {string} order @param {() => Input[]} keyAndValue @returns {OnnxWay} */
    const way = (order, keyAndValue) => ({
      how: `contrib MultiHeadAttention${how}${order}`,
      build: () =>
        build(
          {
            op: 'MultiHeadAttention',
            domain: 'com.microsoft',
            opset: 23,
            integers: { num_heads: heads, unidirectional },
          },
          [byRow('query', q, queries, headDim), ...keyAndValue(), ...optional()],
          [{ name: 'output', rank: 3 }],
          output => swapHeadsAndRows(output, batch, queries, heads, valueDim),
        ),
    })
    // The operator wants K and V of one shape where they come heads first.
    const ofOneShape = headDim === valueDim ? [way(', K and V heads first', headsFirst)] : []
    return [way('', rowsFirst), ...ofOneShape]
  }

  if (shape.options?.softcap) return []
  if (attendsAll(shape) && !keyLengths) return both('')
  const ways = both(', attention_bias', () => [undefined, undefined, floatMask('attention_bias', work)])
  if (keyLengths && attendsAll(shape))
    ways.push(...both(', key_padding_mask', () => [undefined, int32s('key_padding_mask', keyLengths, batch)]))
  if (isSquareCausal(shape)) ways.push(...both(', unidirectional', () => [], 1))
  return ways
}
