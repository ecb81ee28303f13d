/**
 * int8 with one scale for a row, by its definition: the largest magnitude / 127, of which 17 binary digits are kept (none
 * below 2^-126), and the nearest whole number of scales.
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

/** The numbers that a row becomes. */
export function roundInt8(row: ArrayLike<number>): number[] {
  const scale = scaleOfRow(row)
  // + 0, as codes have no -0.
  return Array.from(row, x => Math.round(x / scale) * scale + 0)
}
