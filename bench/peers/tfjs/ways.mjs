/** Attention made of the operations of TensorFlow.js, in the arrangements that differ in speed. */
import { blocksOfRows, isTooLarge } from '../common/blocks.mjs'
import { concatenate } from '../common/layout.mjs'
import { addend, addsToScores, attendsAll, keyRange } from '../common/scores.mjs'
import { hasLengths, joinSequences, oneByOne, padded } from '../common/sequences.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('../../contender.ts').Shape} Shape
 * @typedef {import('../common/choose.mjs').Way} Way
 * @typedef {typeof import('@tensorflow/tfjs-core')} Tf
 * @typedef {import('@tensorflow/tfjs-core').Tensor} Tensor
 * @typedef {{ tensors: Tensor[], attend(): Tensor }} Piece tensors: what it holds between runs
 */

/** Batched products are a plain loop in it: near the others for few scores, 8 to 15 times slower for many. */
const MOST_BATCHED_SCORES = 2 ** 20

/** @param {Shape} shape */
const scoresOf = ({ batch, heads, queries, keys }) => batch * heads * queries * keys

/**
 * What is added to the scores of heads [first, last), -Infinity where one is left out; or nothing.
 * @param {Tf} tf @param {Work} work @param {number} first @param {number} last
 */
function maskOf(tf, work, first, last) {
  const { shape } = work
  const { queries, keys } = shape
  if (attendsAll(shape) && !shape.keyLengths) return undefined
  const batch = shape.keyLengths ? shape.batch : 1
  const heads = addsToScores(shape) ? last - first : 1
  const data = new Float32Array(batch * heads * queries * keys).fill(-Infinity)
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < queries; i++) {
        const row = ((b * heads + h) * queries + i) * keys
        const [start, end] = keyRange(shape, b, i)
        for (let j = start; j < end; j++) data[row + j] = addend(work, first + h, i, j)
      }
  return tf.tensor4d(data, [batch, heads, queries, keys])
}

/** From products to what softmax sees. @param {Tf} tf @param {Shape} shape @param {Tensor} scores @param {Tensor | undefined} mask */
function finish(tf, { options }, scores, mask) {
  const capped = options?.softcap ? tf.mul(tf.tanh(tf.div(scores, options.softcap)), options.softcap) : scores
  return mask ? tf.add(capped, mask) : capped
}

/**
 * Batched products. The heads of a group are rows of one matrix, which is how they lie in memory.
 * @param {Tf} tf @param {Work} work dense @returns {Piece}
 */
function batched(tf, work) {
  const { shape, q, k, v } = work
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = shape
  const matrices = batch * kvHeads
  const rows = (heads / kvHeads) * queries
  const query = tf.tensor3d(q, [matrices, rows, headDim])
  const key = tf.tensor3d(k, [matrices, keys, headDim])
  const value = tf.tensor3d(v, [matrices, keys, valueDim])
  const mask = maskOf(tf, work, 0, heads)
  return {
    tensors: [query, key, value, ...(mask ? [mask] : [])],
    attend() {
      const scores = tf.matMul(tf.mul(query, 1 / Math.sqrt(headDim)), key, false, true)
      const byHead = tf.reshape(scores, [batch, heads, queries, keys])
      const weights = tf.softmax(finish(tf, shape, byHead, mask))
      return tf.matMul(tf.reshape(weights, [matrices, rows, keys]), value)
    },
  }
}

/**
 * Products of two plain matrices, the only ones it hands to XNNPACK: one head (of K) after the other.
 * @param {Tf} tf @param {Work} work a dense batch of one @param {boolean} keepsTransposed @returns {Piece[]}
 */
function headByHead(tf, work, keepsTransposed) {
  const { shape, q, k, v } = work
  const { heads, kvHeads, queries, keys, headDim, valueDim } = shape
  const group = heads / kvHeads
  const rows = group * queries
  const shared = addsToScores(shape) ? undefined : maskOf(tf, work, 0, heads)
  return Array.from({ length: kvHeads }, (_, h) => {
    const query = tf.tensor2d(q.subarray(h * rows * headDim, (h + 1) * rows * headDim), [rows, headDim])
    const asGiven = tf.tensor2d(k.subarray(h * keys * headDim, (h + 1) * keys * headDim), [keys, headDim])
    const value = tf.tensor2d(v.subarray(h * keys * valueDim, (h + 1) * keys * valueDim), [keys, valueDim])
    const key = keepsTransposed ? tf.transpose(asGiven) : asGiven
    if (keepsTransposed) asGiven.dispose()
    const own = shared ? undefined : maskOf(tf, work, h * group, (h + 1) * group)
    const mask = own ?? shared
    return {
      tensors: [query, key, value, ...(own ? [own] : []), ...(shared && h === 0 ? [shared] : [])],
      attend() {
        const keyColumns = keepsTransposed ? key : tf.transpose(key)
        const scores = tf.matMul(tf.mul(query, 1 / Math.sqrt(headDim)), keyColumns)
        const byHead = tf.reshape(scores, [1, group, queries, keys])
        const weights = tf.softmax(finish(tf, shape, byHead, mask))
        return tf.matMul(tf.reshape(weights, [rows, keys]), value)
      },
    }
  })
}

/**
 * @param {Tf} tf @param {string} how @param {() => Piece[]} build
 * @param {(outputs: Float32Array[]) => Float32Array} join @returns {Way}
 */
const wayOf = (tf, how, build, join) => ({
  how,
  async open() {
    const pieces = build()
    /** @type {Tensor[]} */
    let results = []
    return {
      how,
      run() {
        tf.dispose(results)
        results = pieces.map(({ attend }) => tf.tidy(attend))
      },
      output: () => join(results.map(result => /** @type {Float32Array} */ (result.dataSync()))),
      close() {
        tf.dispose([results, pieces.map(({ tensors }) => tensors)])
      },
    }
  },
})

/** @param {Tf} tf @param {Work} work @returns {Way[]} */
export function tfjsWays(tf, work) {
  const { shape } = work
  /** @param {Work[]} parts each a dense batch of one @param {(outputs: Float32Array[]) => Float32Array} join @returns {Way[]} */
  const byHead = (parts, join) =>
    [false, true].map(kept =>
      wayOf(
        tf,
        `head by head, ${kept ? 'K kept transposed' : 'K transposed first'}`,
        () => parts.flatMap(part => headByHead(tf, part, kept)),
        join,
      ),
    )
  if (isTooLarge(work)) return byHead(blocksOfRows(work), concatenate)
  const parts = hasLengths(work) || shape.batch > 1 ? oneByOne(work) : [work]
  /** @param {Float32Array[]} outputs of every key head of every part */
  const joinHeads = outputs => {
    const perPart = outputs.length / parts.length
    const ofParts = parts.map((_, p) => concatenate(outputs.slice(p * perPart, (p + 1) * perPart)))
    return parts.length === 1 ? ofParts[0] : joinSequences(work, ofParts)
  }
  const ways = byHead(parts, joinHeads)
  const batch = padded(work)
  if (scoresOf(batch.work.shape) > MOST_BATCHED_SCORES) return ways
  if (!hasLengths(work)) return [...ways, wayOf(tf, 'batched', () => [batched(tf, work)], concatenate)]
  return [
    ...ways,
    wayOf(
      tf,
      'batched, one by one',
      () => parts.map(part => batched(tf, part)),
      outputs => joinSequences(work, outputs),
    ),
    wayOf(
      tf,
      'batched, padded',
      () => [batched(tf, batch.work)],
      ([output]) => batch.unpack(output),
    ),
  ]
}
