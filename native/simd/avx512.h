/** AVX-512: 16 lanes, 32 registers. */
struct V {
  using Reg = __m512;
  using Mask = __mmask16;
  static constexpr int kLanes = 16;
  static constexpr int kRegs = 32;

  SELFSAME_INLINE Reg zero() { return _mm512_setzero_ps(); }
  SELFSAME_INLINE Reg all(float x) { return _mm512_set1_ps(x); }
  SELFSAME_INLINE Reg load(const float* p) { return _mm512_loadu_ps(p); }
  SELFSAME_INLINE void store(float* p, Reg x) { _mm512_storeu_ps(p, x); }
  /** Asks for a cache line, to be in the second level by the time it is read. */
  SELFSAME_INLINE void prefetch(const char* p) { _mm_prefetch(p, _MM_HINT_T1); }
  /** The first n lanes, 0 in the others; touches nothing beyond them. */
  SELFSAME_INLINE Reg loadTail(const float* p, int n) { return _mm512_maskz_loadu_ps(firstLanes(n), p); }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int n) { _mm512_mask_storeu_ps(p, firstLanes(n), x); }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  /** a * b + c */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  /** b * c[lane] with the one number at p for all lanes, added to c. The broadcast is part of the
   * instruction, which compilers give up as soon as the number is used twice; it costs nothing there and a
   * third of a multiply-add alone (Zen 4). */
  SELFSAME_INLINE Reg fmaAll(const float* p, Reg b, Reg c) {
#if defined(__GNUC__)
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
#else
    return _mm512_fmadd_ps(_mm512_set1_ps(*p), b, c);
#endif
  }
  SELFSAME_INLINE Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  /** The smaller; b where one is NaN. */
  SELFSAME_INLINE Reg min(Reg a, Reg b) { return _mm512_min_ps(a, b); }
  /** The larger; b where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return a & b; }
  SELFSAME_INLINE bool any(Mask m) { return m != 0; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return _mm512_mask_blend_ps(m, b, a); }
  /** Whether a word of bits has this one, lane by lane. */
  SELFSAME_INLINE Mask hasBit(Reg words, uint32_t bit) {
    return _mm512_test_epi32_mask(_mm512_castps_si512(words), _mm512_set1_epi32(static_cast<int>(bit)));
  }
  /** Words without this bit in the lanes of m. */
  SELFSAME_INLINE Reg dropBit(Reg words, Mask m, uint32_t bit) {
    const __m512i x = _mm512_castps_si512(words);
    return _mm512_castsi512_ps(_mm512_mask_andnot_epi32(x, m, _mm512_set1_epi32(static_cast<int>(bit)), x));
  }
  /** One bit for each of 32 bytes: whether it is not 0. */
  SELFSAME_INLINE uint32_t bitsOfBytes(const uint8_t* p) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_test_epi8_mask(bytes, bytes);
  }

  SELFSAME_INLINE Reg loadFloat16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  SELFSAME_INLINE void storeFloat16(uint16_t* p, Reg x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  SELFSAME_INLINE Reg loadBfloat16(const uint16_t* p) {
    const __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
  }
  /** To the nearest, ties to even; a NaN stays one. */
  SELFSAME_INLINE void storeBfloat16(uint16_t* p, Reg x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const Mask nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i result = _mm512_srli_epi32(_mm512_mask_blend_epi32(nan, rounded, quiet), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(result));
  }

  SELFSAME_INLINE Reg loadInt8(const int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }

  /** Powers of 2 come from a table of 2^kTableBits, which two registers hold. */
  static constexpr int kTableBits = 5;
  /** Entry of a table of 32, by the low bits of each lane. */
  SELFSAME_INLINE Reg lookup(const float* table, Reg index) {
    return _mm512_permutex2var_ps(load(table), _mm512_castps_si512(index), load(table + 16));
  }
  /** x times the power of 2 whose exponent stands above the low kTableBits of `steps`. */
  SELFSAME_INLINE Reg raise(Reg x, Reg steps) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(steps), 23 - kTableBits);
    const __m512i whole = _mm512_and_si512(exponent, _mm512_set1_epi32(static_cast<int>(0xff800000u)));
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), whole));
  }

  /** Lane i of the result is the sum of all lanes of r[i], added in the same order for every i. */
  SELFSAME_INLINE Reg addAcross(const Reg (&r)[kLanes]) {
    Reg pair[8], four[4], eight[2];
    SELFSAME_UNROLL
    for (int i = 0; i < 8; ++i) {
      const Reg a = r[2 * i], b = r[2 * i + 1];
      pair[i] = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 4; ++i) {
      const Reg a = pair[2 * i], b = pair[2 * i + 1];
      four[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 2; ++i) {
      const Reg a = four[2 * i], b = four[2 * i + 1];
      eight[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    }
    return _mm512_add_ps(_mm512_shuffle_f32x4(eight[0], eight[1], 0x88),
                         _mm512_shuffle_f32x4(eight[0], eight[1], 0xdd));
  }

  SELFSAME_INLINE void transpose(Reg (&r)[kLanes]) {
    __m512i t[16];
    SELFSAME_UNROLL
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_castps_si512(_mm512_unpacklo_ps(r[i], r[i + 1]));
      t[i + 1] = _mm512_castps_si512(_mm512_unpackhi_ps(r[i], r[i + 1]));
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 16; i += 4) {
      r[i] = _mm512_castsi512_ps(_mm512_unpacklo_epi64(t[i], t[i + 2]));
      r[i + 1] = _mm512_castsi512_ps(_mm512_unpackhi_epi64(t[i], t[i + 2]));
      r[i + 2] = _mm512_castsi512_ps(_mm512_unpacklo_epi64(t[i + 1], t[i + 3]));
      r[i + 3] = _mm512_castsi512_ps(_mm512_unpackhi_epi64(t[i + 1], t[i + 3]));
    }
    SELFSAME_UNROLL
    for (int i = 0; i < 4; ++i) {
      const Reg a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
      const Reg b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
      const Reg c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      const Reg d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
      r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
      r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
      r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
      r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
  }

 private:
  SELFSAME_INLINE Mask firstLanes(int n) { return static_cast<Mask>((1u << n) - 1u); }
};
