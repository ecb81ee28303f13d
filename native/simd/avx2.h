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
  /** Asks for a cache line, to be in the second level by the time it is read. */
  SELFSAME_INLINE void prefetch(const char* p) { _mm_prefetch(p, _MM_HINT_T1); }
  /** The first n lanes, 0 in the others; touches nothing beyond them. */
  SELFSAME_INLINE Reg loadTail(const float* p, int n) { return _mm256_maskload_ps(p, firstLanes(n)); }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int n) { _mm256_maskstore_ps(p, firstLanes(n), x); }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  /** a * b + c */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  /** The one number at p for all lanes, times b, plus c. */
  SELFSAME_INLINE Reg fmaAll(const float* p, Reg b, Reg c) { return fma(all(*p), b, c); }
  SELFSAME_INLINE Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  /** The smaller; b where one is NaN. */
  SELFSAME_INLINE Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
  /** The larger; b where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return _mm256_and_ps(a, b); }
  SELFSAME_INLINE bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return _mm256_blendv_ps(b, a, m); }
  /** Whether a word of bits has this one, lane by lane. */
  SELFSAME_INLINE Mask hasBit(Reg words, uint32_t bit) {
    const __m256i x = _mm256_set1_epi32(static_cast<int>(bit));
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_castps_si256(words), x), x));
  }
  /** Words without this bit in the lanes of m. */
  SELFSAME_INLINE Reg dropBit(Reg words, Mask m, uint32_t bit) {
    const __m256i x = _mm256_set1_epi32(static_cast<int>(bit));
    return _mm256_andnot_ps(_mm256_and_ps(m, _mm256_castsi256_ps(x)), words);
  }
  /** One bit for each of 32 bytes: whether it is not 0. */
  SELFSAME_INLINE uint32_t bitsOfBytes(const uint8_t* p) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())));
  }

  SELFSAME_INLINE Reg loadFloat16(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  SELFSAME_INLINE void storeFloat16(uint16_t* p, Reg x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  SELFSAME_INLINE Reg loadBfloat16(const uint16_t* p) {
    const __m256i x = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16));
  }
  /** To the nearest, ties to even; a NaN stays one. */
  SELFSAME_INLINE void storeBfloat16(uint16_t* p, Reg x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i result = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(result, result), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }

  SELFSAME_INLINE Reg loadInt8(const int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  /** Powers of 2 come from a table of 2^kTableBits, which one register holds. */
  static constexpr int kTableBits = 3;
  /** Entry of a table of 8, by the low bits of each lane. */
  SELFSAME_INLINE Reg lookup(const float* table, Reg index) {
    return _mm256_permutevar8x32_ps(load(table), _mm256_castps_si256(index));
  }
  /** x times the power of 2 whose exponent stands above the low kTableBits of `steps`. */
  SELFSAME_INLINE Reg raise(Reg x, Reg steps) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(steps), 23 - kTableBits);
    const __m256i whole = _mm256_and_si256(exponent, _mm256_set1_epi32(static_cast<int>(0xff800000u)));
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), whole));
  }

  /** Lane i of the result is the sum of all lanes of r[i], added in the same order for every i. */
  SELFSAME_INLINE Reg addAcross(const Reg (&r)[kLanes]) {
    Reg pair[4], four[2];
    SELFSAME_UNROLL
    for (int i = 0; i < 4; ++i) {
      const Reg a = r[2 * i], b = r[2 * i + 1];
      pair[i] = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 2; ++i) {
      const Reg a = pair[2 * i], b = pair[2 * i + 1];
      four[i] = _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
    }
    return _mm256_add_ps(_mm256_permute2f128_ps(four[0], four[1], 0x20),
                         _mm256_permute2f128_ps(four[0], four[1], 0x31));
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
