/** Ways through ONNX `Attention` (opset 23; 24 for key lengths), heads first as a Work has them. */
import { sliceRows } from '../common/layout.mjs'
import { addsToScores, attendsAll, isSquareCausal } from '../common/scores.mjs'
import { build, floats, int64s } from './inputs.mjs'
import { boolMask, floatMask } from './masks.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('./inputs.mjs').Input} Input
 * @typedef {import('./inputs.mjs').OnnxWay} OnnxWay
 */

/** @param {Work} work @returns {OnnxWay[]} */
export function attentionWays(work) {
  const { shape, q, k, v } = work
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, options } = shape
  const { softcap = 0 } = options ?? {}
  /** @param {string} name @param {Float32Array} data @param {number} dim @param {number} first @param {number} last */
  const rows = (name, data, dim, first, last) => {
    const part =
      first === 0 && last === keys ? data : sliceRows(data, batch * kvHeads, keys, dim, first, last)
    return floats(name, part, batch, kvHeads, last - first, dim)
  }
  /** @param {string} how @param {() => (Input | undefined)[]} optional @param {{ opset?: number, causal?: number, past?: number }} more @returns {OnnxWay} */
  const way = (how, optional, { opset = 23, causal = 0, past = 0 } = {}) => ({
    how: `Attention-${opset}${how}`,
    build: () =>
      build(
        { op: 'Attention', domain: '', opset, integers: { is_causal: causal }, floats: { softcap } },
        [
          floats('Q', q, batch, heads, queries, headDim),
          rows('K', k, headDim, past, keys),
          rows('V', v, valueDim, past, keys),
          ...optional(),
        ],
        [
          { name: 'Y', rank: 4 },
          ...(past
            ? [
                { name: 'present_key', rank: 4 },
                { name: 'present_value', rank: 4 },
              ]
            : []),
        ],
        output => output,
      ),
  })

  if (attendsAll(shape) && !shape.keyLengths) return [way('', () => [])]
  const ways = [
    way(', float mask', () => [floatMask('attn_mask', work)]),
    ...(addsToScores(shape) ? [] : [way(', bool mask', () => [boolMask('attn_mask', work)])]),
  ]
  const { keyLengths } = shape
  if (keyLengths && attendsAll(shape))
    ways.push(
      way(
        ', nonpad_kv_seqlen',
        () => [undefined, undefined, undefined, int64s('nonpad_kv_seqlen', keyLengths, batch)],
        { opset: 24 },
      ),
    )
  if (isSquareCausal(shape)) ways.push(way(', is_causal', () => [], { causal: 1 }))
  if (!keyLengths && !options && shape.causal === 'bottom-right' && keys > queries) {
    const past = keys - queries
    const cache = () => [rows('past_key', k, headDim, 0, past), rows('past_value', v, valueDim, 0, past)]
    ways.push(way(', is_causal with past', () => [undefined, ...cache()], { causal: 1, past }))
  }
  return ways
}
