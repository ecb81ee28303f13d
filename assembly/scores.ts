import { BEGIN, END, EVERY_BEGIN, EVERY_END } from './strip'
import { multiplyTile } from './tile'

/**
 * Scores of one strip against keys [from, to) of a block, before the scale: scores[key][8 rows], -inf where masked.
 * `from` and `to` are multiples of 4. What changes a score (softcap, bias, masks) belongs here, between the
 * product and the mask.
 */
// @ts-ignore: decorator
@inline
export function scoreStrip(
  queries: usize, keys: usize, strip: usize, scores: usize, from: i32, to: i32, headDim: i32, blockStart: i32,
): void {
  for (let key = from; key < to; key += 4) {
    multiplyTile(keys + <usize>((key * headDim) << 2), 16, queries, 32, headDim, scores + <usize>(key << 5), 32, 0)
  }
  maskRange(strip, scores, from, min(to, load<i32>(strip, EVERY_BEGIN) - blockStart), blockStart)
  maskRange(strip, scores, max(from, load<i32>(strip, EVERY_END) - blockStart), to, blockStart)
}

/** A select after the product: whatever a masked key holds, NaN too, is gone. */
function maskRange(strip: usize, scores: usize, from: i32, to: i32, blockStart: i32): void {
  const none = f32x4.splat(-Infinity)
  for (let key = from; key < to; key++) {
    const position = i32x4.splat(blockStart + key)
    const at = scores + <usize>(key << 5)
    for (let half: usize = 0; half < 32; half += 16) {
      const attended = v128.and(
        i32x4.ge_s(position, v128.load(strip + half, BEGIN)),
        i32x4.lt_s(position, v128.load(strip + half, END)),
      )
      v128.store(at + half, v128.bitselect(v128.load(at + half), none, attended))
    }
  }
}
