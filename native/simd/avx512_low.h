/**
 * AVX-512: numbers of lower precision, several to a word of 32 bits, and their dot products. Each type is
 * what attention/low asks of a precision; VNNI and BF16 instructions run only where dispatch has seen them.
 */

/** Numbers of 16 bits, two to a word. */
struct Int16Vnni {
  using Words = __m512i;
  using Sum = __m512i;
  static constexpr int kPack = 2;
  /** Stored numbers are integers up to this, times a scale. */
  static constexpr bool kScaled = true;

  SELFSAME_INLINE Words load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  SELFSAME_INLINE void store(uint32_t* p, Words x) { _mm512_storeu_si512(p, x); }
  /** x[0] and x[1] times a factor, rounded, side by side in every lane. */
  SELFSAME_INLINE Words pack(const V::Reg (&x)[2], V::Reg factor) {
    const __m512i low = round(x[0], factor), high = round(x[1], factor);
    return _mm512_mask_blend_epi16(0xaaaaaaaau, low, _mm512_slli_epi32(high, 16));
  }
  SELFSAME_INLINE Words packQuery(const V::Reg (&x)[2], V::Reg factor) { return pack(x, factor); }
  /** One vector times a factor, rounded, as a run of numbers; returns what they are. */
  SELFSAME_INLINE V::Reg storeRow(void* p, V::Reg x, V::Reg factor) {
    const __m512i whole = _mm512_cvtps_epi32(V::mul(x, factor));
    _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtepi32_epi16(whole));
    return _mm512_cvtepi32_ps(whole);
  }
  SELFSAME_INLINE Sum start(int32_t) { return _mm512_setzero_si512(); }
  SELFSAME_INLINE V::Reg value(Sum sum) { return _mm512_cvtepi32_ps(sum); }
  /** Adds the products of one word, of a key or a value, and a vector of words, of queries or their weights.
   * As in V::fmaAll, the broadcast is part of the instruction. */
  SELFSAME_INLINE Sum dot(const uint32_t* all, Words lanes, Sum sum) {
#if defined(__GNUC__)
    __asm__("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(lanes), "m"(*all));
    return sum;
#else
    return _mm512_dpwssd_epi32(sum, lanes, _mm512_set1_epi32(static_cast<int>(*all)));
#endif
  }

 private:
  /** Bits whose lower half is the nearest integer to x * factor: that of 1.5 * 2^23 plus it. */
  SELFSAME_INLINE __m512i round(V::Reg x, V::Reg factor) {
    return _mm512_castps_si512(V::fma(x, factor, V::all(12582912.0f)));
  }
};

/** Numbers of 8 bits, four to a word: signed keys and values, unsigned weights, queries 128 too large. */
struct Int8Vnni {
  using Words = __m512i;
  using Sum = __m512i;
  static constexpr int kPack = 4;
  static constexpr bool kScaled = true;

  SELFSAME_INLINE Words load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  SELFSAME_INLINE void store(uint32_t* p, Words x) { _mm512_storeu_si512(p, x); }
  SELFSAME_INLINE Words pack(const V::Reg (&x)[4], V::Reg factor) {
    const __m512i low = pair(round(x[0], factor), round(x[1], factor));
    const __m512i high = pair(round(x[2], factor), round(x[3], factor));
    return _mm512_mask_blend_epi16(0xaaaaaaaau, low, _mm512_slli_epi32(high, 16));
  }
  SELFSAME_INLINE Words packQuery(const V::Reg (&x)[4], V::Reg factor) {
    return _mm512_xor_si512(pack(x, factor), _mm512_set1_epi32(static_cast<int>(0x80808080u)));
  }
  SELFSAME_INLINE V::Reg storeRow(void* p, V::Reg x, V::Reg factor) {
    const __m512i whole = _mm512_cvtps_epi32(V::mul(x, factor));
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(whole));
    return _mm512_cvtepi32_ps(whole);
  }
  SELFSAME_INLINE Sum start(int32_t x) { return _mm512_set1_epi32(x); }
  SELFSAME_INLINE V::Reg value(Sum sum) { return _mm512_cvtepi32_ps(sum); }
  /** The factor that is broadcast is the signed one. */
  SELFSAME_INLINE Sum dot(const uint32_t* all, Words lanes, Sum sum) {
#if defined(__GNUC__)
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(lanes), "m"(*all));
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, lanes, _mm512_set1_epi32(static_cast<int>(*all)));
#endif
  }

 private:
  SELFSAME_INLINE __m512i round(V::Reg x, V::Reg factor) {
    return _mm512_castps_si512(V::fma(x, factor, V::all(12582912.0f)));
  }
  /** The lowest bytes of low and high side by side, in the lower half of each lane: low where the mask has
   * bits, else high. */
  SELFSAME_INLINE __m512i pair(__m512i low, __m512i high) {
    constexpr int kChoose = 0xca;
    return _mm512_ternarylogic_epi32(_mm512_set1_epi32(0xff), low, _mm512_slli_epi32(high, 8), kChoose);
  }
};

/** The upper halves of float32, two to a word, with sums in float32. */
struct Bfloat16 {
  using Words = __m512i;
  using Sum = __m512;
  static constexpr int kPack = 2;
  static constexpr bool kScaled = false;

  SELFSAME_INLINE Words load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  SELFSAME_INLINE void store(uint32_t* p, Words x) { _mm512_storeu_si512(p, x); }
  SELFSAME_INLINE Words pack(const V::Reg (&x)[2], V::Reg) {
    return _mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(round(x[0]), 16), round(x[1]));
  }
  SELFSAME_INLINE Words packQuery(const V::Reg (&x)[2], V::Reg factor) { return pack(x, factor); }
  SELFSAME_INLINE V::Reg storeRow(void* p, V::Reg x, V::Reg) {
    V::storeBfloat16(static_cast<uint16_t*>(p), x);
    return x;
  }
  SELFSAME_INLINE Sum start(int32_t) { return _mm512_setzero_ps(); }
  SELFSAME_INLINE V::Reg value(Sum sum) { return sum; }
  SELFSAME_INLINE Sum dot(const uint32_t* all, Words lanes, Sum sum) {
#if defined(__GNUC__)
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(lanes), "m"(*all));
    return sum;
#else
    const __m512i word = _mm512_set1_epi32(static_cast<int>(*all));
    return _mm512_dpbf16_ps(sum, reinterpret_cast<const __m512bh&>(lanes),
                            reinterpret_cast<const __m512bh&>(word));
#endif
  }

 private:
  /** To the nearest; of two, away from 0. */
  SELFSAME_INLINE __m512i round(V::Reg x) {
    return _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  }
};
