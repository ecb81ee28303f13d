// The products of precision int16. Softmax, masks and options know nothing of it: scores come out as float32, and weights
// are packed where they lie. What int16 would move too far is computed in float32: the scores of a row against a block, and
// the values of a block.
import { KEYS_HEAD, pairBytes, STRIP_HEAD } from './low-operands'
import { multiplyKeys, tilesFrom, tilesTo } from './scores'
import { BEGUN, RESCALE } from './strip'
import { KEY_BLOCK_BYTES, LOW_KEYS, LOW_OFF, LOW_SUMS, LOW_UNITS, LOW_VALUES, SCORES, SOME, STRIDE, UNIT } from './task'
import { multiplyWords, wordsOf } from './words'

/** How far a score may be off, as a share of its weight. */
const MOST_OFF: f32 = 4e-4
const MOST_WEIGHT: f32 = 32760
const MOST_WEIGHTS: f32 = 260000

/** `multiplyKeys` for a strip whose words are at `words`; rows that int16 would move too far get float32. */
export function multiplyLowKeys(task: usize, queries: usize, words: usize): void {
  const most = f32x4.splat(MOST_OFF)
  const off = f32x4.splat(load<f32>(task, LOW_OFF) * load<f32>(task, UNIT))
  // Also where it is NaN.
  const exact0 = v128.not(f32x4.le(f32x4.mul(v128.load(words, 32), off), most))
  const exact1 = v128.not(f32x4.le(f32x4.mul(v128.load(words, 48), off), most))
  const scores = load<usize>(task, SCORES)
  if (!v128.any_true(v128.or(exact0, exact1))) {
    multiply(task, words, scores)
    return
  }
  multiplyKeys(task, queries)
  if (i32x4.all_true(v128.and(exact0, exact1))) return
  const others = load<usize>(task, LOW_KEYS) + KEYS_HEAD + load<usize>(task, KEY_BLOCK_BYTES)
  multiply(task, words, others)
  for (let at = <usize>tilesFrom(task) << 5, end = <usize>tilesTo(task) << 5; at < end; at += 32) {
    v128.store(scores + at, v128.bitselect(v128.load(scores + at), v128.load(others + at), exact0))
    v128.store(scores + at, v128.bitselect(v128.load(scores + at, 16), v128.load(others + at, 16), exact1), 16)
  }
}

function multiply(task: usize, words: usize, scores: usize): void {
  const units = load<usize>(task, LOW_KEYS)
  const step = pairBytes(task, 4)
  const some = load<u64>(task, SOME)
  const to = tilesTo(task)
  for (let key = tilesFrom(task); key < to; key += 4) {
    if (!((some >> <u64>key) & 15)) continue
    const tile = units + KEYS_HEAD + (<usize>key >> 2) * step
    const target = scores + (<usize>key << 5)
    multiplyWords(tile, 16, words + STRIP_HEAD, 32, <i32>(step >> 4), target, 32, 0, units + (<usize>key << 2), words, 0, 0)
  }
}

/** `addValues` with the weights of a strip made words. They are rounded against the largest of the row in this block. */
export function addLowValues(task: usize, strip: usize, output: usize): void {
  const stride = load<usize>(task, STRIDE)
  const scores = load<usize>(task, SCORES)
  const from = <usize>tilesFrom(task)
  const to = <usize>tilesTo(task)
  const values = load<usize>(task, LOW_VALUES)
  const words = values + 2 * stride + (from >> 1) * stride
  const steps = <i32>(to - from) >> 1
  packWeights(task, scores, from, to, 0)
  packWeights(task, scores, from, to, 16)
  const begun = load<i32>(strip, BEGUN)
  for (let half: usize = 0; half < 32; half += 16, output += 4 * stride) {
    const rescale = begun ? strip + RESCALE + half : 0
    const weights = scores + (from << 5) + half
    for (let c: usize = 0; c < stride; c += 32) {
      multiplyWords(
        weights, 32, words + c, stride, steps, output + c, stride, rescale,
        task + LOW_UNITS + half, values + c, task + LOW_SUMS + half, values + stride + c,
      )
    }
  }
}

/** Weights of four rows as words of two keys, from the first place of the range on. */
function packWeights(task: usize, scores: usize, from: usize, to: usize, half: usize): void {
  const first = scores + (from << 5) + half
  const end = scores + (to << 5) + half
  let most0 = f32x4.splat(0)
  let most1 = most0
  let sum0 = most0
  let sum1 = most0
  for (let at = first; at < end; at += 64) {
    const a = v128.load(at)
    const b = v128.load(at, 32)
    most0 = f32x4.pmax(most0, a)
    most1 = f32x4.pmax(most1, b)
    sum0 = f32x4.add(sum0, a)
    sum1 = f32x4.add(sum1, b)
  }
  const sum = f32x4.add(sum0, sum1)
  const unit = f32x4.pmax(
    f32x4.splat(1e-30),
    f32x4.pmax(
      f32x4.mul(f32x4.pmax(most0, most1), f32x4.splat(1 / MOST_WEIGHT)), f32x4.mul(sum, f32x4.splat(1 / MOST_WEIGHTS)),
    ),
  )
  v128.store(task + half, unit, LOW_UNITS)
  v128.store(task + half, sum, LOW_SUMS)
  const factor = f32x4.div(f32x4.splat(1), unit)
  let target = first
  for (let at = first; at < end; at += 64, target += 32) {
    v128.store(target, wordsOf(v128.load(at), v128.load(at, 32), factor))
  }
}
