/** AVX2: numbers of lower precision, several to a word of 32 bits, and their dot products; see avx512_low.h.
 */

/** Numbers of 16 bits, two to a word. */
struct Int16Plain {
  using Words = __m256i;
  using Sum = __m256i;
  static constexpr int kPack = 2;
  static constexpr bool kScaled = true;

  SELFSAME_INLINE Words load(const uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  SELFSAME_INLINE void store(uint32_t* p, Words x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  SELFSAME_INLINE Words pack(const V::Reg (&x)[2], V::Reg factor) {
    const __m256i low = round(x[0], factor), high = round(x[1], factor);
    return _mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0xaa);
  }
  SELFSAME_INLINE Words packQuery(const V::Reg (&x)[2], V::Reg factor) { return pack(x, factor); }
  SELFSAME_INLINE V::Reg storeRow(void* p, V::Reg x, V::Reg factor) {
    const __m256i whole = _mm256_cvtps_epi32(V::mul(x, factor));
    const __m256i narrow = _mm256_permute4x64_epi64(_mm256_packs_epi32(whole, whole), 0x08);
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_castsi256_si128(narrow));
    return _mm256_cvtepi32_ps(whole);
  }
  SELFSAME_INLINE Sum start(int32_t) { return _mm256_setzero_si256(); }
  SELFSAME_INLINE V::Reg value(Sum sum) { return _mm256_cvtepi32_ps(sum); }
  /** In assembly because compilers copy each sum once per step, which costs a quarter of the speed (GCC 12).
   */
  SELFSAME_INLINE Sum dot(const uint32_t* all, Words lanes, Sum sum) {
    const __m256i word = _mm256_set1_epi32(static_cast<int>(*all));
#if defined(__GNUC__)
    __m256i product;
    __asm__("vpmaddwd %2, %3, %0\n\tvpaddd %0, %1, %1" : "=&x"(product), "+x"(sum) : "x"(word), "x"(lanes));
    return sum;
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(word, lanes));
#endif
  }

 private:
  SELFSAME_INLINE __m256i round(V::Reg x, V::Reg factor) {
    return _mm256_castps_si256(V::fma(x, factor, V::all(12582912.0f)));
  }
};
