// The build for engines with relaxed SIMD, where a multiply-add can be one operation: `asc --enable simd,relaxed-simd`.
export * from './attention'

/** The name by which the host knows the build. */
export const relaxed = true
