/**
 * Logarithmic axes that show few, round numbers and no space that nothing is in.
 * @module
 */

/** From a little below the lowest to a little above the highest. */
export function rangeOf(values: readonly number[]): [low: number, high: number] {
  return [Math.min(...values) / 1.5, Math.max(...values) * 1.5]
}

/** Powers of ten inside, and three times them where that is few. */
export function ticksIn([low, high]: readonly [number, number]): number[] {
  const powers = Array.from({ length: 16 }, (_, i) => 10 ** (i - 6))
  const inside = (values: number[]): number[] => values.filter(value => value >= low && value <= high)
  const tens = inside(powers)
  return tens.length >= 4 ? tens : inside(powers.flatMap(power => [power, 3 * power]))
}

/** 0.001 and 10000 as they are, without the rounding errors of powers. */
export function tick(value: number): string {
  return String(Number(value.toPrecision(1)))
}
