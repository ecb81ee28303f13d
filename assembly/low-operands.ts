// Queries, keys and values of a block as int16, each number in units of its row (queries and keys) or channel (values). The
// bounds are those of native/attention/low: a row's unit follows from its norm, so that by Cauchy and Schwarz no sum of
// products passes 2^31.
import { HEAD_DIM, KEYS, LOW_FITS, LOW_KEYS, LOW_OFF, LOW_QUERIES, LOW_VALUES, QUERIES, STRIDE, STRIPS, VALUES } from './task'
import { LEAST_SIZE, wordsOf } from './words'

const MOST_OF_ROW: f32 = 32760
const MOST_OF_VALUE: f32 = 8191
/** Two numbers rounded to units of their row are off by 1 / sqrt(12) of one each. */
const OFF_PER_NORM: f32 = 0.41 / 32760
/** The largest square of a block's values to their mean square. */
const MOST_SPREAD: f32 = 50
const MOST_SQUARES: f32 = 1e37

/** Before the words of a strip of queries: units and norms of its eight rows. Before those of keys: 64 units. */
export const STRIP_HEAD: usize = 64
export const KEYS_HEAD: usize = 256

/** Bytes of a row of words for each channel pair of a strip of queries (eight rows) or a tile of keys (four). */
// @ts-ignore: decorator
@inline
export function pairBytes(task: usize, rows: usize): usize {
  return ((load<usize>(task, HEAD_DIM) + 1) >> 1) * rows * 4
}

/** The packed queries of a chunk once more as words. */
export function packLowQueries(task: usize): void {
  const headDim = load<i32>(task, HEAD_DIM)
  let source = load<usize>(task, QUERIES)
  let target = load<usize>(task, LOW_QUERIES)
  for (let strip = load<i32>(task, STRIPS); strip > 0; strip--) {
    for (let half: usize = 0; half < 32; half += 16) {
      const norm = f32x4.add(f32x4.sqrt(squares(source + half, 32, headDim)), f32x4.splat(LEAST_SIZE))
      v128.store(target + half, f32x4.mul(norm, f32x4.splat(1 / MOST_OF_ROW)))
      v128.store(target + half, norm, 32)
      pairs(source + half, 32, headDim, target + half + STRIP_HEAD, f32x4.div(f32x4.splat(MOST_OF_ROW), norm))
    }
    source += <usize>headDim << 5
    target += STRIP_HEAD + pairBytes(task, 8)
  }
}

// @ts-ignore: decorator
@inline
function squares(at: usize, step: usize, headDim: i32): v128 {
  let sum = f32x4.splat(0)
  for (const end = at + <usize>headDim * step; at < end; at += step) {
    const x = v128.load(at)
    sum = f32x4.add(sum, f32x4.mul(x, x))
  }
  return sum
}

// @ts-ignore: decorator
@inline
function pairs(at: usize, step: usize, headDim: i32, target: usize, factor: v128): void {
  let left = headDim
  for (; left >= 2; left -= 2, at += 2 * step, target += step) {
    v128.store(target, wordsOf(v128.load(at), v128.load(at + step), factor))
  }
  if (left) v128.store(target, wordsOf(v128.load(at), f32x4.splat(0), factor))
}

/** The packed keys and the values [from, to) of a block as words; these are all that any row of the item may see. */
export function packLow(task: usize, from: i32, to: i32): void {
  packLowKeys(task, from, to)
  store<i32>(task, i32(measureValues(task, from, to)), LOW_FITS)
  if (load<i32>(task, LOW_FITS)) packLowValues(task, from, to)
}

function packLowKeys(task: usize, from: i32, to: i32): void {
  const headDim = load<i32>(task, HEAD_DIM)
  const units = load<usize>(task, LOW_KEYS)
  const step = pairBytes(task, 4)
  const lanes = i32x4(0, 1, 2, 3)
  let most = f32x4.splat(0)
  let notFinite = f32x4.splat(0)
  for (let key = from & ~3; key < to; key += 4) {
    const source = load<usize>(task, KEYS) + <usize>((key * headDim) << 2)
    const places = i32x4.add(lanes, i32x4.splat(key))
    const own = v128.and(i32x4.ge_s(places, i32x4.splat(from)), i32x4.lt_s(places, i32x4.splat(to)))
    const norm = v128.and(f32x4.sqrt(squares(source, 16, headDim)), own)
    most = f32x4.pmax(most, norm)
    notFinite = f32x4.add(notFinite, f32x4.mul(norm, f32x4.splat(0)))
    const size = f32x4.pmax(f32x4.splat(LEAST_SIZE), norm)
    v128.store(units + (<usize>key << 2), f32x4.mul(size, f32x4.splat(1 / MOST_OF_ROW)))
    const target = units + KEYS_HEAD + (<usize>key >> 2) * step
    pairs(source, 16, headDim, target, f32x4.div(f32x4.splat(MOST_OF_ROW), size))
  }
  // NaN where some key is: then all rows take their scores in float32.
  store<f32>(task, mostOf(most) * OFF_PER_NORM + sumOf(notFinite), LOW_OFF)
}

function mostOf(a: v128): f32 {
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)), max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  )
}

function sumOf(a: v128): f32 {
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3)
}

/**
 * The unit and the mean of every channel; false where values must stay in float32: some is not finite, or the square of
 * the largest is too many times the mean square.
 */
function measureValues(task: usize, from: i32, to: i32): bool {
  const stride = load<usize>(task, STRIDE)
  const count = f32x4.splat(<f32>(to - from))
  const share = f32x4.splat(1 / <f32>(to - from))
  const values = load<usize>(task, VALUES)
  let units = load<usize>(task, LOW_VALUES)
  let all = f32x4.splat(0)
  let spread = all
  let peaks = all
  for (let c: usize = 0; c < stride; c += 16, units += 16) {
    let at = values + <usize>from * stride + c
    const end = values + <usize>to * stride + c
    let least = v128.load(at)
    let most = least
    let sum = f32x4.splat(0)
    let square = f32x4.splat(0)
    for (; at < end; at += stride) {
      const x = v128.load(at)
      least = f32x4.pmin(least, x)
      most = f32x4.pmax(most, x)
      sum = f32x4.add(sum, x)
      square = f32x4.add(square, f32x4.mul(x, x))
    }
    const mean = f32x4.mul(sum, share)
    const peak = f32x4.pmax(f32x4.splat(LEAST_SIZE), f32x4.pmax(f32x4.sub(most, mean), f32x4.sub(mean, least)))
    v128.store(units, f32x4.mul(peak, f32x4.splat(1 / MOST_OF_VALUE)))
    v128.store(units + stride, mean)
    all = f32x4.add(all, square)
    spread = f32x4.add(spread, f32x4.sub(square, f32x4.mul(f32x4.mul(mean, mean), count)))
    peaks = f32x4.add(peaks, f32x4.mul(peak, peak))
  }
  const sum = sumOf(all)
  // What is left beside a mean may be all rounding, but is then no worse than that.
  const rest = max(sumOf(spread), sum * 1e-6)
  return sum <= MOST_SQUARES && sumOf(peaks) <= MOST_SPREAD * rest / <f32>(to - from)
}

/** Words of two keys. Of those around [from, to), to whole tiles of four, no row has a weight: any number will do. */
function packLowValues(task: usize, from: i32, to: i32): void {
  const stride = load<usize>(task, STRIDE)
  const units = load<usize>(task, LOW_VALUES)
  const first = <usize>(from & ~3)
  const end = <usize>((to + 3) & ~3)
  for (let c: usize = 0; c < stride; c += 16) {
    const factor = f32x4.div(f32x4.splat(1), v128.load(units + c))
    const mean = v128.load(units + stride + c)
    let source = load<usize>(task, VALUES) + first * stride + c
    let target = units + 2 * stride + (first >> 1) * stride + c
    for (let key = first; key < end; key += 2, source += 2 * stride, target += stride) {
      const a = f32x4.sub(v128.load(source), mean)
      const b = f32x4.sub(v128.load(source + stride), mean)
      v128.store(target, wordsOf(a, b, factor))
    }
  }
}
