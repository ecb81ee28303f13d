/**
 * Rows of `width` bytes (an even number) from here to there: the values of one head out of rows that hold several heads
 * side by side, and its output into such rows.
 */
export function moveRows(source: usize, sourceStep: usize, target: usize, targetStep: usize, rows: i32, width: usize): void {
  for (; rows > 0; rows--, source += sourceStep, target += targetStep) {
    let at: usize = 0
    for (; at + 16 <= width; at += 16) v128.store(target + at, v128.load(source + at))
    for (; at < width; at += 2) store<u16>(target + at, load<u16>(source + at))
  }
}
