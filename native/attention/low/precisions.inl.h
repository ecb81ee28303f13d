/**
 * What each precision carries. Ops are the operations of an instruction set (native/simd). A score in float32
 * has no error here; one of lower precision is off by a root mean square that grows with the norm and the
 * largest channel of its query, and with the same of the block's keys.
 */

/**
 * Integers of 16 bits. Rows of Q and K are scaled by their norm: by Cauchy and Schwarz no sum of products
 * passes 32760^2. Weights and values are scaled so that the sum of weights in a block times the largest value
 * stays below 2^31.
 */
template <class Ops>
struct Int16Of : Ops {
  /** Whether a row's unit follows its largest channel; else it follows its norm. */
  static constexpr bool kByPeak = false;
  /** Whether keys lose the mean of their block, which queries then see in float32. */
  static constexpr bool kCentresKeys = false;
  /** Whether the keys of a tile have one unit, which saves a multiplication per vector of scores. */
  static constexpr bool kSharesUnits = false;
  static constexpr float kMostOfRow = 32760.0f, kMostOfValue = 8191.0f;
  static constexpr float kMostWeight = 32760.0f, kMostWeights = 260000.0f;
  /** How far a score may be off, as a share of its weight. */
  static constexpr float kMostOff = 4e-4f;
  /** The largest square of a block's values to their mean square: rounding moves them by 0.025 %. */
  static constexpr float kMostSpread = 50.0f;

  /** Two numbers rounded to units of their row are off by 1 / sqrt(12) of one each. */
  SELFSAME_INLINE float offPerNorm(float norm, float) { return norm * (0.41f / kMostOfRow); }
  SELFSAME_INLINE float offPerPeak(float, float) { return 0.0f; }
  SELFSAME_INLINE V::Reg unitOfWeights(V::Reg most, V::Reg sum) {
    return V::max(V::mul(most, V::all(1.0f / kMostWeight)), V::mul(sum, V::all(1.0f / kMostWeights)));
  }
};

/** Integers of 8 bits: rows of Q and K in units of their largest channel. */
template <class Ops>
struct Int8Of : Ops {
  static constexpr bool kByPeak = true;
  static constexpr bool kCentresKeys = true;
  static constexpr bool kSharesUnits = true;
  static constexpr float kMostOfRow = 127.0f, kMostOfValue = 127.0f, kMostWeight = 255.0f;
  static constexpr float kMostOff = 0.03f;
  /** Rounding moves values by 1.2 %. */
  static constexpr float kMostSpread = 28.0f;

  SELFSAME_INLINE float offPerNorm(float, float peak) { return peak * (0.29f / kMostOfRow); }
  SELFSAME_INLINE float offPerPeak(float norm, float) { return norm * (0.29f / kMostOfRow); }
  SELFSAME_INLINE V::Reg unitOfWeights(V::Reg most, V::Reg) {
    return V::mul(most, V::all(1.0f / kMostWeight));
  }
};

/** bfloat16: 8 bits of every number, whatever its size. */
template <class Ops>
struct Bfloat16Of : Ops {
  static constexpr bool kByPeak = true;
  static constexpr bool kCentresKeys = true;
  static constexpr bool kSharesUnits = false;
  static constexpr float kMostOfRow = 1.0f, kMostOfValue = 1.0f;
  static constexpr float kMostOff = 0.015f;
  static constexpr float kMostSpread = INFINITY;

  /** Each product is off by 2^-9 * sqrt(2 / 3) of itself; together by that of norm times largest at most. */
  SELFSAME_INLINE float offPerNorm(float, float peak) { return peak * 1.6e-3f; }
  SELFSAME_INLINE float offPerPeak(float, float) { return 0.0f; }
  SELFSAME_INLINE V::Reg unitOfWeights(V::Reg most, V::Reg) { return most; }
};
