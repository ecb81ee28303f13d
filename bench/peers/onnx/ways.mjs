/** Every way through an ONNX operator that can express a shape. */
import { blocksOfRows, isTooLarge } from '../common/blocks.mjs'
import { concatenate, groupAsRows } from '../common/layout.mjs'
import { hasLengths, joinSequences, oneByOne, padded } from '../common/sequences.mjs'
import { attentionWays } from './attention.mjs'
import { groupQueryWays } from './group-query.mjs'
import { inFloat16 } from './inputs.mjs'
import { multiHeadWays } from './multi-head.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('./inputs.mjs').OnnxWay} OnnxWay
 * @typedef {{
 *   node: import('./model.mjs').Node, calls: import('./inputs.mjs').Call[],
 *   unpack(outputs: Float32Array[]): Float32Array,
 * }} Plan one session, called once per sequence where sequences go one by one
 * @typedef {{ how: string, build(): Plan }} PlanWay
 */

/** @param {string} suffix @returns {(way: OnnxWay) => OnnxWay} */
const noting = suffix => way => ({ ...way, how: way.how + suffix })

/** @param {Work} work @returns {OnnxWay[]} */
function denseWays(work) {
  const { shape } = work
  const ways = [...attentionWays(work), ...groupQueryWays(work)]
  // No ways with K and V repeated for every head: they never were the best (llama-2048, chunked-prefill).
  if (shape.options?.float16)
    return [...multiHeadWays(work), ...ways].map(way => ({ ...way, build: () => inFloat16(way.build()) }))
  if (shape.kvHeads === shape.heads) return [...multiHeadWays(work), ...ways]
  const asRows = groupAsRows(work)
  if (!asRows) return ways
  const plain = [...attentionWays(asRows), ...multiHeadWays(asRows)]
  return [...plain.map(noting(', heads of a group as rows')), ...ways]
}

/**
 * The ways open to every part of a work, one call per part.
 * @param {Work[]} parts @param {string} how @param {(outputs: Float32Array[]) => Float32Array} join @returns {PlanWay[]}
 */
function waysInParts(parts, how, join) {
  const waysOfParts = parts.map(denseWays)
  return waysOfParts[0].flatMap(first => {
    const same = waysOfParts.map(ways => ways.find(way => way.how === first.how))
    if (same.includes(undefined)) return []
    return {
      how: `${first.how}, ${how}`,
      build: () => {
        const built = same.flatMap(way => way?.build() ?? [])
        return {
          node: built[0].node,
          calls: built.map(({ call }) => call),
          unpack: outputs => join(outputs.map((output, part) => built[part].unpack(output))),
        }
      },
    }
  })
}

/** @param {Work} work @param {(output: Float32Array) => Float32Array} unpackAll @returns {PlanWay[]} */
const waysTogether = (work, unpackAll) =>
  denseWays(work).map(({ how, build }) => ({
    how,
    build: () => {
      const { node, call, unpack } = build()
      return { node, calls: [call], unpack: ([output]) => unpackAll(unpack(output)) }
    },
  }))

/** @param {Work} work @returns {PlanWay[]} */
export function onnxWays(work) {
  if (!hasLengths(work)) {
    const blocks = isTooLarge(work) ? waysInParts(blocksOfRows(work), 'in blocks of rows', concatenate) : []
    return [...waysTogether(work, output => output), ...blocks]
  }
  const batch = padded(work)
  return [
    ...waysInParts(oneByOne(work), 'one by one', outputs => joinSequences(work, outputs)),
    ...waysTogether(batch.work, batch.unpack).map(way => ({ ...way, how: `${way.how}, padded` })),
  ]
}
