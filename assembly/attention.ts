// What the host calls. It owns the memory, copies blocks in and results out, and passes addresses in a record (task.ts);
// ARCHITECTURE.md has the picture. No call keeps anything but what it writes to memory.
import { addLowValues } from './low'
import { pairBytes, STRIP_HEAD } from './low-operands'
import { scoreStrip, tilesFrom, tilesTo } from './scores'
import { softmaxBlock } from './softmax'
import { BEGUN, STRIP_BYTES } from './strip'
import { BLOCK, EXPONENT, HEAD_DIM, LOW, LOW_FITS, LOW_QUERIES, OUTPUT, QUERIES, SCORES, STATE, STRIDE, STRIPS, VALUES } from './task'
import { addValues, addValuesByRow, allFinite } from './values'
import { classify, EDGE, isOutside, NONE } from './visible'

export { attendRows, packRows } from './few'
export { narrow, widen } from './half'
export { widenInt8 } from './int8'
export { lookAtBlock } from './look'
export { packLow, packLowQueries } from './low-operands'
export { moveRows } from './move'
export { packKeys, packQueries } from './pack'
export { closeStrips, openStrips } from './strip'

/**
 * One block of keys and values for all strips of a chunk of query rows. The block begins at key `block`, `offset` keys
 * into the window of masks; keys [from, to) of it were brought.
 * Strips that attend to nothing in the block are not touched.
 */
export function attendBlock(task: usize, block: i32, offset: i32, from: i32, to: i32): void {
  const scores = load<usize>(task, SCORES)
  const scale = load<f32>(task, EXPONENT)
  const queryBytes = load<usize>(task, HEAD_DIM) << 5
  const values = load<usize>(task, VALUES)
  const stride = load<usize>(task, STRIDE)
  let queries = load<usize>(task, QUERIES)
  const low = load<i32>(task, LOW)
  const wordBytes = STRIP_HEAD + pairBytes(task, 8)
  let words = load<usize>(task, LOW_QUERIES)
  let output = load<usize>(task, OUTPUT)
  let state = load<usize>(task, STATE)
  let finite = -1
  for (const end = state + load<usize>(task, STRIPS) * STRIP_BYTES; state < end; state += STRIP_BYTES) {
    const kind = isOutside(task, state, block) ? NONE : classify(task, state, block, offset)
    if (kind != NONE) {
      scoreStrip(task, state, queries, words, block, offset, kind)
      softmaxBlock(state, scores, tilesFrom(task), tilesTo(task), scale)
      softmaxBlock(state + 16, scores + 16, tilesFrom(task), tilesTo(task), scale)
      if (low && load<i32>(task, LOW_FITS)) {
        addLowValues(task, state, output)
      } else {
        if (kind == EDGE && finite < 0) finite = i32(allFinite(values, stride, from, to))
        if (kind == EDGE && !finite) addValuesByRow(task, state, output, values, stride, BLOCK)
        else addValues(task, state, output)
      }
      store<i32>(state, 1, BEGUN)
    }
    queries += queryBytes
    words += wordBytes
    output += stride << 3
  }
}

/** Where the memory of the host begins: below lie the kernel's constants. */
export const heapBase: usize = __heap_base
