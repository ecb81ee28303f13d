// What the host calls. It owns the memory, copies blocks in and results out, and passes addresses;
// ARCHITECTURE.md has the picture. No call keeps anything but what it writes to memory.
import { scoreStrip } from './scores'
import { finalWeights, softmaxBlock } from './softmax'
import { EVERY_BEGIN, EVERY_END, SOME_BEGIN, SOME_END, STRIP_BYTES } from './strip'
import { addValues, addValuesByRow, allFinite } from './values'

export { packKeys, packQueries } from './pack'
export { closeStrips, openStrips } from './strip'

/**
 * One block of keys and values for all strips of a chunk of query rows.
 * `blockStart` is the place of the block's first key, `stride` the bytes of a row of values and of output.
 * Weights are powers of 2 of the scores times `scale`.
 * Strips that attend to nothing in the block are not touched.
 */
export function attendBlock(
  queries: usize, keys: usize, values: usize, output: usize, state: usize, scores: usize,
  strips: i32, headDim: i32, stride: usize, blockStart: i32, blockKeys: i32, scale: f32,
): void {
  let finite = -1
  for (let strip = 0; strip < strips; strip++) {
    const from = max(load<i32>(state, SOME_BEGIN) - blockStart, 0)
    const to = min(load<i32>(state, SOME_END) - blockStart, blockKeys)
    if (from < to) {
      const tilesFrom = from & ~3
      const tilesTo = (to + 3) & ~3
      scoreStrip(queries, keys, state, scores, tilesFrom, tilesTo, headDim, blockStart)
      softmaxBlock(state, scores, tilesFrom, tilesTo, scale)
      softmaxBlock(state + 16, scores + 16, tilesFrom, tilesTo, scale)
      const edge = from < load<i32>(state, EVERY_BEGIN) - blockStart || to > load<i32>(state, EVERY_END) - blockStart
      if (edge && finite < 0) finite = i32(allFinite(values, values + <usize>blockKeys * stride))
      if (edge && !finite) addValuesByRow(state, scores, values, output, from, to, stride, blockStart)
      else addValues(state, scores, values, output, from, to, stride)
    }
    state += STRIP_BYTES
    queries += <usize>(headDim << 5)
    output += 8 * stride
  }
}

/** Final weights of one block of keys, after all blocks were attended to: weights[row][key of the block]. */
export function weighStrips(
  queries: usize, keys: usize, weights: usize, state: usize, scores: usize,
  strips: i32, headDim: i32, stride: usize, blockStart: i32, blockKeys: i32, scale: f32,
): void {
  for (let strip = 0; strip < strips; strip++) {
    const from = max(load<i32>(state, SOME_BEGIN) - blockStart, 0) & ~3
    const to = (min(load<i32>(state, SOME_END) - blockStart, blockKeys) + 3) & ~3
    scoreStrip(queries, keys, state, scores, from, to, headDim, blockStart)
    finalWeights(state, scores, from, to, scale, weights, stride)
    finalWeights(state + 16, scores + 16, from, to, scale, weights + 4 * stride, stride)
    state += STRIP_BYTES
    queries += <usize>(headDim << 5)
    weights += 8 * stride
  }
}

/** Where the memory of the host begins: below lie the kernel's constants. */
export const heapBase: usize = __heap_base
