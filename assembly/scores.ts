import { addAlibi } from './alibi'
import { addBias } from './bias'
import { multiplyLowKeys } from './low'
import { softcap } from './softcap'
import { ALIBI, BIAS, CAP, FEATURES, FROM, HEAD_DIM, KEYS, LOW, SCORES, SHAPING, SOFTCAP, SOME, TO, UNIT } from './task'
import { multiplyTile } from './tile'
import { EDGE, maskScores } from './visible'

/**
 * Scores of one strip against what it sees of a block: scores[key][8 rows], -inf where masked, in whole tiles of four
 * keys. They are products without their unit, or in natural units where something is added to them.
 */
// @ts-ignore: decorator
@inline
export function scoreStrip(
  task: usize, strip: usize, queries: usize, words: usize, block: i32, offset: i32, kind: i32,
): void {
  if (load<i32>(task, LOW)) multiplyLowKeys(task, queries, words)
  else multiplyKeys(task, queries)
  if (load<i32>(task, FEATURES) & SHAPING) shapeScores(task, strip, block, offset)
  if (kind == EDGE) maskScores(task, load<usize>(task, SCORES), tilesFrom(task), tilesTo(task))
}

/** Where the tiles begin that hold what a strip sees of a block, and where they end. */
// @ts-ignore: decorator
@inline
export function tilesFrom(task: usize): i32 {
  return load<i32>(task, FROM) & ~3
}

// @ts-ignore: decorator
@inline
export function tilesTo(task: usize): i32 {
  return (load<i32>(task, TO) + 3) & ~3
}

/** The products, tile by tile; tiles that no row sees are passed over. */
// @ts-ignore: decorator
@inline
export function multiplyKeys(task: usize, queries: usize): void {
  const keys = load<usize>(task, KEYS)
  const scores = load<usize>(task, SCORES)
  const headDim = load<i32>(task, HEAD_DIM)
  const some = load<u64>(task, SOME)
  const to = tilesTo(task)
  for (let key = tilesFrom(task); key < to; key += 4) {
    if ((some >> <u64>key) & 15) {
      multiplyTile(keys + <usize>((key * headDim) << 2), 16, queries, 32, headDim, scores + (<usize>key << 5), 32, 0)
    }
  }
}

/** Softcap, bias and ALiBi, in this order; the first of them brings in the unit. */
export function shapeScores(task: usize, strip: usize, block: i32, offset: i32): void {
  const features = load<i32>(task, FEATURES)
  const from = tilesFrom(task)
  const to = tilesTo(task)
  for (let half: usize = 0; half < 32; half += 16) {
    const scores = load<usize>(task, SCORES) + half
    const first = scores + (<usize>from << 5)
    const end = scores + (<usize>to << 5)
    let unit = load<f32>(task, UNIT)
    if (features & SOFTCAP) {
      softcap(first, end, unit, load<f32>(task, CAP))
      unit = 1
    }
    if (features & BIAS) {
      addBias(task, strip + half, scores, from, to, offset, unit)
      unit = 1
    }
    if (features & ALIBI) addAlibi(strip + half, first, end, block + from, unit)
  }
}
