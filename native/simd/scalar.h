/** Plain C++: one lane. Runs the same templates where no vector unit is known, and checks them where one is.
 */
struct V {
  using Reg = float;
  using Mask = bool;
  static constexpr int kLanes = 1;
  static constexpr int kRegs = 16;

  SELFSAME_INLINE Reg zero() { return 0.0f; }
  SELFSAME_INLINE Reg all(float x) { return x; }
  SELFSAME_INLINE Reg load(const float* p) { return *p; }
  SELFSAME_INLINE void store(float* p, Reg x) { *p = x; }
  /** Asks for a cache line, to be in the second level by the time it is read: plain C++ has no word for it.
   */
  SELFSAME_INLINE void prefetch(const char*) {}
  /** With one lane there is no tail. */
  SELFSAME_INLINE Reg loadTail(const float* p, int) { return *p; }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int) { *p = x; }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return a + b; }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return a - b; }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return a * b; }
  /** a * b + c, rounded twice: std::fma is a slow library call on CPUs without the instruction. */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return a * b + c; }
  /** The one number at p for all lanes, times b, plus c. */
  SELFSAME_INLINE Reg fmaAll(const float* p, Reg b, Reg c) { return fma(all(*p), b, c); }
  SELFSAME_INLINE Reg div(Reg a, Reg b) { return a / b; }
  /** The smaller; b where one is NaN. */
  SELFSAME_INLINE Reg min(Reg a, Reg b) { return a < b ? a : b; }
  /** The larger; b where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return a > b ? a : b; }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return a > b; }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return a == b; }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return a && b; }
  SELFSAME_INLINE bool any(Mask m) { return m; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return m ? a : b; }
  /** No table of powers: a polynomial is as fast here. */
  static constexpr int kTableBits = 0;
  /** The low bits of x moved up to where a float keeps its exponent. */
  SELFSAME_INLINE Reg toExponent(Reg x) { return std::bit_cast<float>(std::bit_cast<uint32_t>(x) << 23); }

  /** Whether a word of bits has this one. */
  SELFSAME_INLINE Mask hasBit(Reg words, uint32_t bit) { return (std::bit_cast<uint32_t>(words) & bit) != 0; }
  /** Words without this bit where m. */
  SELFSAME_INLINE Reg dropBit(Reg words, Mask m, uint32_t bit) {
    return m ? std::bit_cast<float>(std::bit_cast<uint32_t>(words) & ~bit) : words;
  }
  /** One bit for each of 32 bytes: whether it is not 0. */
  SELFSAME_INLINE uint32_t bitsOfBytes(const uint8_t* p) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<uint32_t>(p[i] != 0) << i;
    return bits;
  }

  /** Exponent and fraction moved into place and the bias of the exponent put right by a product, exact also
   * for denormals. */
  SELFSAME_INLINE Reg loadFloat16(const uint16_t* p) {
    const uint32_t sign = (*p & 0x8000u) << 16, magnitude = *p & 0x7fffu;
    if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    return std::bit_cast<float>(sign |
                                std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112f));
  }
  /** To the nearest, ties to even. */
  SELFSAME_INLINE void storeFloat16(uint16_t* p, Reg x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 16 & 0x8000u,
                   magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) {
      half = 0x7e00;
    } else if (magnitude >= 0x477ff000u) {
      half = 0x7c00;
    } else if (magnitude < 0x38800000u) {  // a denormal: in units of 2^-24, which the sum below rounds to
      half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
    } else {
      half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    }
    *p = static_cast<uint16_t>(sign | half);
  }
  SELFSAME_INLINE Reg loadBfloat16(const uint16_t* p) {
    return std::bit_cast<float>(static_cast<uint32_t>(*p) << 16);
  }
  /** To the nearest, ties to even; a NaN stays one. */
  SELFSAME_INLINE void storeBfloat16(uint16_t* p, Reg x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
    *p = static_cast<uint16_t>((x == x ? rounded : bits | 0x400000u) >> 16);
  }

  SELFSAME_INLINE Reg loadInt8(const int8_t* p) { return *p; }

  /** Lane i of the result is the sum of all lanes of r[i], added in the same order for every i. */
  SELFSAME_INLINE Reg addAcross(const Reg (&r)[kLanes]) { return r[0]; }

  SELFSAME_INLINE void transpose(Reg (&)[kLanes]) {}
};
