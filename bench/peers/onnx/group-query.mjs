/** The way through the contrib operator `GroupQueryAttention`, as decoders are exported: new rows follow a cache. */
import { sliceRows, swapHeadsAndRows } from '../common/layout.mjs'
import { attendsAll, isCausalSquare } from '../common/scores.mjs'
import { build as buildNode, floats, int32s } from './inputs.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('./inputs.mjs').OnnxWay} OnnxWay
 */

/** @param {Work} work @returns {OnnxWay[]} */
export function groupQueryWays(work) {
  const { shape, q, k, v } = work
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, keyLengths, options } = shape
  const { window, softcap = 0, bias, alibi, keep } = options ?? {}
  // Its window only looks back, and counts the row's own key.
  if (bias || alibi || keep || (window && (window.right > 0 || shape.causal === 'none'))) return []
  const decodes = queries === 1 && attendsAll(shape)
  const isPrompt = queries === keys && (isCausalSquare(shape) || keyLengths || attendsAll(shape))
  // With a cache before it, more than one new row is taken for one sequence only.
  const continues = batch === 1 && !keyLengths && keys > queries && shape.causal !== 'top-left'
  if (headDim !== valueDim || !(decodes || isPrompt || continues)) return []

  const lengths = keyLengths ?? Array(batch).fill(keys)
  /** Rows of K or V that are new in this call: the last of each sequence, a prompt whole with its padding. @param {string} name @param {Float32Array} data */
  const newRows = (name, data) => {
    const size = kvHeads * keys * headDim
    const rows = new Float32Array(batch * queries * kvHeads * headDim)
    lengths.forEach((length, b) => {
      const last = decodes ? length : keys
      const cache = data.subarray(b * size, (b + 1) * size)
      const own = sliceRows(cache, kvHeads, keys, headDim, last - queries, last)
      rows.set(swapHeadsAndRows(own, 1, kvHeads, queries, headDim), b * queries * kvHeads * headDim)
    })
    return floats(name, rows, batch, queries, kvHeads * headDim)
  }
  const build = () => {
    const cacheDims = [batch, kvHeads, keys, headDim]
    return buildNode(
      {
        op: 'GroupQueryAttention',
        domain: 'com.microsoft',
        opset: 23,
        integers: {
          num_heads: heads,
          kv_num_heads: kvHeads,
          ...(attendsAll(shape) && !decodes ? { causal: 0 } : {}),
          ...(window && { local_window_size: window.left + 1 }),
        },
        floats: { softcap },
      },
      [
        floats('query', swapHeadsAndRows(q, batch, heads, queries, headDim), batch, queries, heads * headDim),
        newRows('key', k),
        newRows('value', v),
        // As long as the keys in all: the new rows are put in their place behind those in use.
        floats('past_key', k, ...cacheDims),
        floats('past_value', v, ...cacheDims),
        int32s(
          'seqlens_k',
          lengths.map(length => length - 1),
          batch,
        ),
        int32s('total_sequence_length', [Math.max(...lengths)]),
      ],
      [
        { name: 'output', rank: 3 },
        { name: 'present_key', rank: 4 },
        { name: 'present_value', rank: 4 },
      ],
      output => swapHeadsAndRows(output, batch, queries, heads, headDim),
    )
  }
  return [{ how: 'contrib GroupQueryAttention', build }]
}
