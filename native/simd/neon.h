/** NEON on arm64: 4 lanes, 32 registers. */
struct V {
  using Reg = float32x4_t;
  using Mask = uint32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kRegs = 32;

  SELFSAME_INLINE Reg zero() { return vdupq_n_f32(0.0f); }
  SELFSAME_INLINE Reg all(float x) { return vdupq_n_f32(x); }
  SELFSAME_INLINE Reg load(const float* p) { return vld1q_f32(p); }
  SELFSAME_INLINE void store(float* p, Reg x) { vst1q_f32(p, x); }
  /** Asks for a cache line, to be in the second level by the time it is read. */
  SELFSAME_INLINE void prefetch(const char* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#endif
  }
  /** The first n lanes, 0 in the others; touches nothing beyond them. */
  SELFSAME_INLINE Reg loadTail(const float* p, int n) {
    Reg x = vld1q_lane_f32(p, zero(), 0);
    if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
    if (n > 2) x = vld1q_lane_f32(p + 2, x, 2);
    return x;
  }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int n) {
    vst1q_lane_f32(p, x, 0);
    if (n > 1) vst1q_lane_f32(p + 1, x, 1);
    if (n > 2) vst1q_lane_f32(p + 2, x, 2);
  }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return vaddq_f32(a, b); }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return vsubq_f32(a, b); }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return vmulq_f32(a, b); }
  /** a * b + c */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f32(c, a, b); }
  /** The one number at p for all lanes, times b, plus c. */
  SELFSAME_INLINE Reg fmaAll(const float* p, Reg b, Reg c) { return fma(all(*p), b, c); }
  SELFSAME_INLINE Reg div(Reg a, Reg b) { return vdivq_f32(a, b); }
  /** The smaller; NaN where one is NaN. */
  SELFSAME_INLINE Reg min(Reg a, Reg b) { return vminq_f32(a, b); }
  /** The larger; NaN where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return vmaxq_f32(a, b); }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return vcgtq_f32(a, b); }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return vceqq_f32(a, b); }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return vandq_u32(a, b); }
  SELFSAME_INLINE bool any(Mask m) { return vmaxvq_u32(m) != 0; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return vbslq_f32(m, a, b); }
  /** No table of powers: a polynomial is as fast here. */
  static constexpr int kTableBits = 0;
  /** The low bits of x moved up to where a float keeps its exponent. */
  SELFSAME_INLINE Reg toExponent(Reg x) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), 23));
  }

  /** Whether a word of bits has this one, lane by lane. */
  SELFSAME_INLINE Mask hasBit(Reg words, uint32_t bit) {
    return vtstq_u32(vreinterpretq_u32_f32(words), vdupq_n_u32(bit));
  }
  /** Words without this bit in the lanes of m. */
  SELFSAME_INLINE Reg dropBit(Reg words, Mask m, uint32_t bit) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(words), vandq_u32(m, vdupq_n_u32(bit))));
  }
  /** One bit for each of 32 bytes: whether it is not 0. */
  SELFSAME_INLINE uint32_t bitsOfBytes(const uint8_t* p) {
    const uint8x16_t weight = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t a = vandq_u8(vtstq_u8(vld1q_u8(p), vld1q_u8(p)), weight);
    const uint8x16_t b = vandq_u8(vtstq_u8(vld1q_u8(p + 16), vld1q_u8(p + 16)), weight);
    return vaddv_u8(vget_low_u8(a)) | static_cast<uint32_t>(vaddv_u8(vget_high_u8(a))) << 8 |
           static_cast<uint32_t>(vaddv_u8(vget_low_u8(b))) << 16 |
           static_cast<uint32_t>(vaddv_u8(vget_high_u8(b))) << 24;
  }

  SELFSAME_INLINE Reg loadFloat16(const uint16_t* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
  }
  SELFSAME_INLINE void storeFloat16(uint16_t* p, Reg x) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
  }
  SELFSAME_INLINE Reg loadBfloat16(const uint16_t* p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
  }
  /** To the nearest, ties to even; a NaN stays one. */
  SELFSAME_INLINE void storeBfloat16(uint16_t* p, Reg x) {
    const uint32x4_t bits = vreinterpretq_u32_f32(x);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(p, vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16));
  }

  SELFSAME_INLINE Reg loadInt8(const int8_t* p) {
    int32_t four;
    memcpy(&four, p, sizeof(four));
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
  }

  /** Lane i of the result is the sum of all lanes of r[i], added in the same order for every i. */
  SELFSAME_INLINE Reg addAcross(const Reg (&r)[kLanes]) {
    return vpaddq_f32(vpaddq_f32(r[0], r[1]), vpaddq_f32(r[2], r[3]));
  }

  SELFSAME_INLINE void transpose(Reg (&r)[kLanes]) {
    const float32x4x2_t a = vtrnq_f32(r[0], r[1]);
    const float32x4x2_t b = vtrnq_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
  }
};
