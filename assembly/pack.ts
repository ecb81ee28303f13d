import { storeTransposed } from './lanes'

/**
 * Query rows into strips of eight: target[strip][channel][8], times `factor`. A last strip that is not full repeats the
 * last row, so that its spare lanes are as tame as that row.
 */
export function packQueries(source: usize, target: usize, rows: i32, headDim: i32, factor: f32): void {
  for (let first = 0; first < rows; first += 8) {
    for (let half = 0; half < 8; half += 4) {
      packFour(
        rowAt(source, first + half, rows, headDim), rowAt(source, first + half + 1, rows, headDim),
        rowAt(source, first + half + 2, rows, headDim), rowAt(source, first + half + 3, rows, headDim),
        target + <usize>((first * headDim + half) << 2), 32, headDim, factor,
      )
    }
  }
}

/** Key rows [first, end) of a block into tiles of four: target[tile][channel][4]. Both bounds are multiples of 4. */
export function packKeys(source: usize, target: usize, first: i32, end: i32, headDim: i32): void {
  const row = <usize>(headDim << 2)
  for (let key = first; key < end; key += 4) {
    const at = <usize>key * row
    packFour(source + at, source + at + row, source + at + 2 * row, source + at + 3 * row, target + at, 16, headDim, 1)
  }
}

// @ts-ignore: decorator
@inline
function rowAt(source: usize, row: i32, rows: i32, headDim: i32): usize {
  return source + <usize>((min(row, rows - 1) * headDim) << 2)
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
