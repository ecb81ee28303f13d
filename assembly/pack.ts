import { storeTransposed } from './lanes'

/**
 * Query rows, `step` bytes apart, into strips of eight: target[strip][channel][8], times `factor`. A last strip that is
 * not full repeats the last row, so that its spare lanes are as tame as that row.
 */
export function packQueries(source: usize, step: usize, target: usize, rows: i32, headDim: i32, factor: f32): void {
  for (let first = 0; first < rows; first += 8) {
    for (let half = 0; half < 8; half += 4) {
      packFour(
        rowAt(source, step, first + half, rows), rowAt(source, step, first + half + 1, rows),
        rowAt(source, step, first + half + 2, rows), rowAt(source, step, first + half + 3, rows),
        target + <usize>((first * headDim + half) << 2), 32, headDim, factor,
      )
    }
  }
}

/**
 * Key rows [first, end) of a block, `step` bytes apart, into tiles of four: target[tile][channel][4]. Both bounds are
 * multiples of 4.
 */
export function packKeys(source: usize, step: usize, target: usize, first: i32, end: i32, headDim: i32): void {
  for (let key = first; key < end; key += 4) {
    const row = source + <usize>key * step
    const tile = target + <usize>((key * headDim) << 2)
    packFour(row, row + step, row + 2 * step, row + 3 * step, tile, 16, headDim, 1)
  }
}

// @ts-ignore: decorator
@inline
function rowAt(source: usize, step: usize, row: i32, rows: i32): usize {
  return source + <usize>min(row, rows - 1) * step
}

/** Four rows side by side: target + channel * step holds the four rows' values of that channel. */
function packFour(a: usize, b: usize, c: usize, d: usize, target: usize, step: usize, headDim: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  let left = headDim
  for (; left >= 4; left -= 4) {
    storeTransposed(
      f32x4.mul(v128.load(a), factors), f32x4.mul(v128.load(b), factors),
      f32x4.mul(v128.load(c), factors), f32x4.mul(v128.load(d), factors), target, step,
    )
    a += 16
    b += 16
    c += 16
    d += 16
    target += 4 * step
  }
  for (; left > 0; left--) {
    store<f32>(target, load<f32>(a) * factor)
    store<f32>(target, load<f32>(b) * factor, 4)
    store<f32>(target, load<f32>(c) * factor, 8)
    store<f32>(target, load<f32>(d) * factor, 12)
    a += 4
    b += 4
    c += 4
    d += 4
    target += step
  }
}
