/**
 * int8 with one scale for a row, by its definition: the largest magnitude / 127, of which 17 binary digits are kept (none
 * below 2^-126), and the nearest whole number of scales, ties to even.
 * @module
 */

/** The scale of a row of numbers. */
export function scaleOfRow(row: ArrayLike<number>): number {
  const largest = Math.max(0, ...Array.from(row, Math.abs))
  const exact = Math.fround(largest / 127)
  if (exact < 2 ** -126) return 2 ** -126
  const step = 2 ** (Math.floor(Math.log2(exact)) - 16)
  return Math.floor(exact / step) * step
}

/** The nearest whole number, never -0. */
function wholeOf(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest === 0.5) return below % 2 === 0 ? below + 0 : below + 1
  return (rest < 0.5 ? below : below + 1) + 0
}

/** The numbers that a row becomes. */
export function roundInt8(row: ArrayLike<number>): number[] {
  const scale = scaleOfRow(row)
  return Array.from(row, x => wholeOf(x / scale) * scale)
}
