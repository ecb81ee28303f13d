// Rows of int8 codes to float32: the same numbers as src/numeric/int8.ts. A code times its scale is exactly a float32.

/**
 * `rows` rows of `stride` codes, each with a scale of its own. What is written may reach over codes that were read, and
 * up to three numbers over the end of a row: the next row, or nobody, comes there.
 */
export function widenInt8(source: usize, target: usize, rows: i32, stride: i32, scales: usize): void {
  for (const end = scales + (<usize>rows << 2); scales < end; scales += 4) {
    const scale = v128.load32_splat(scales)
    let left = stride
    let codes = source
    let at = target
    for (; left >= 8; left -= 8, codes += 8, at += 32) {
      const eight = v128.load8x8_s(codes)
      v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(eight)), scale))
      v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(eight)), scale), 16)
    }
    for (; left > 0; left -= 4, codes += 4, at += 16) {
      const four = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(codes)))
      v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(four), scale))
    }
    source += <usize>stride
    target += <usize>stride << 2
  }
}
