// Steps on four float32 lanes that WebAssembly has no single word for.

/** a * b + c: fused where the engine fuses relaxed_madd, else rounded twice. The one place where the two builds differ. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<f32>(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

// @ts-ignore: decorator
@inline
export function lane0(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 0, 0, 0, 0)
}

// @ts-ignore: decorator
@inline
export function lane1(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 1, 1, 1, 1)
}

// @ts-ignore: decorator
@inline
export function lane2(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 2, 2, 2, 2)
}

// @ts-ignore: decorator
@inline
export function lane3(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 3, 3, 3, 3)
}

/** Stores the columns of the four rows a, b, c, d as four rows, `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeTransposed(a: v128, b: v128, c: v128, d: v128, target: usize, step: usize): void {
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
  v128.store(target, v128.shuffle<f32>(ab01, cd01, 0, 1, 4, 5))
  v128.store(target + step, v128.shuffle<f32>(ab01, cd01, 2, 3, 6, 7))
  v128.store(target + 2 * step, v128.shuffle<f32>(ab23, cd23, 0, 1, 4, 5))
  v128.store(target + 3 * step, v128.shuffle<f32>(ab23, cd23, 2, 3, 6, 7))
}

/** A vector in memory times `factor`, plus `term`. */
// @ts-ignore: decorator
@inline
export function scaleAndAdd(target: usize, factor: v128, term: v128): void {
  v128.store(target, fma(v128.load(target), factor, term))
}

/** Four of them, `step` bytes apart, plus the columns of the four rows a, b, c, d. */
// @ts-ignore: decorator
@inline
export function scaleAndAddTransposed(
  target: usize, step: usize, factor: v128, a: v128, b: v128, c: v128, d: v128,
): void {
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
  scaleAndAdd(target, factor, v128.shuffle<f32>(ab01, cd01, 0, 1, 4, 5))
  scaleAndAdd(target + step, factor, v128.shuffle<f32>(ab01, cd01, 2, 3, 6, 7))
  scaleAndAdd(target + 2 * step, factor, v128.shuffle<f32>(ab23, cd23, 0, 1, 4, 5))
  scaleAndAdd(target + 3 * step, factor, v128.shuffle<f32>(ab23, cd23, 2, 3, 6, 7))
}
