// The build for every engine with SIMD: `asc --enable simd`.
export * from './attention'

/** The name by which the host knows the build. */
export const simd = true
