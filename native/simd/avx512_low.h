/**
 * AVX-512: numbers of lower precision, several to a word of 32 bits, and their dot products. Each type is what
 * attention/low asks of a precision; VNNI and BF16 instructions run only where dispatch has seen them.
 */

/** Numbers of 16 bits, two to a word. */
struct Int16 {
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

 protected:
  /** Bits whose lower half is the nearest integer to x * factor: that of 1.5 * 2^23 plus it. */
  SELFSAME_INLINE __m512i round(V::Reg x, V::Reg factor) {
    return _mm512_castps_si512(V::fma(x, factor, V::all(12582912.0f)));
  }
};

/** Without VNNI. */
struct Int16Plain : Int16 {
  /** Adds the products of one key's word and a vector of queries' words. */
  SELFSAME_INLINE Sum dotKey(const uint32_t* key, Words queries, Sum sum) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_set1_epi32(static_cast<int>(*key)), queries));
  }
  /** Adds the products of one row's word of weights and a vector of channels' words of values. */
  SELFSAME_INLINE Sum dotWeight(const uint32_t* weight, Words values, Sum sum) {
    return dotKey(weight, values, sum);
  }
};

/** With VNNI. As in V::fmaAll, the broadcast is part of the instruction. */
struct Int16Vnni : Int16 {
  SELFSAME_INLINE Sum dotKey(const uint32_t* key, Words queries, Sum sum) {
#if defined(__GNUC__)
    __asm__("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(queries), "m"(*key));
    return sum;
#else
    return _mm512_dpwssd_epi32(sum, queries, _mm512_set1_epi32(static_cast<int>(*key)));
#endif
  }
  SELFSAME_INLINE Sum dotWeight(const uint32_t* weight, Words values, Sum sum) {
    return dotKey(weight, values, sum);
  }
};
