/** AVX2 with FMA: 8 lanes, 16 registers. */
struct V {
  using Reg = __m256;
  using Mask = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kRegs = 16;

  SELFSAME_INLINE Reg zero() { return _mm256_setzero_ps(); }
  SELFSAME_INLINE Reg all(float x) { return _mm256_set1_ps(x); }
  SELFSAME_INLINE Reg load(const float* p) { return _mm256_loadu_ps(p); }
  SELFSAME_INLINE void store(float* p, Reg x) { _mm256_storeu_ps(p, x); }
  /** The first n lanes, 0 in the others; touches nothing beyond them. */
  SELFSAME_INLINE Reg loadTail(const float* p, int n) { return _mm256_maskload_ps(p, firstLanes(n)); }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int n) { _mm256_maskstore_ps(p, firstLanes(n), x); }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  /** a * b + c */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  /** The larger; b where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return _mm256_and_ps(a, b); }
  SELFSAME_INLINE bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return _mm256_blendv_ps(b, a, m); }
  /** The low bits of x moved up to where a float keeps its exponent. */
  SELFSAME_INLINE Reg toExponent(Reg x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23));
  }

  SELFSAME_INLINE void transpose(Reg (&r)[kLanes]) {
    Reg t[8];
    SELFSAME_UNROLL
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 4; ++i) {
      const Reg low = r[i], high = r[i + 4];
      r[i] = _mm256_permute2f128_ps(low, high, 0x20);
      r[i + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
  }

 private:
  SELFSAME_INLINE __m256i firstLanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};
