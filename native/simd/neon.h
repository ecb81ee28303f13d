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
  /** The larger; NaN where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return vmaxq_f32(a, b); }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return vcgtq_f32(a, b); }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return vceqq_f32(a, b); }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return vandq_u32(a, b); }
  SELFSAME_INLINE bool any(Mask m) { return vmaxvq_u32(m) != 0; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return vbslq_f32(m, a, b); }
  /** The low bits of x moved up to where a float keeps its exponent. */
  SELFSAME_INLINE Reg toExponent(Reg x) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), 23));
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
