/** What each precision can carry. Ops are the operations of an instruction set (native/simd). */

/**
 * Integers of 16 bits. Rows of Q and K are scaled by their norm: by Cauchy and Schwarz no sum of products
 * passes 32760^2. Weights and values are scaled so that the sum of weights in a block times the largest value
 * stays below 2^31.
 */
template <class Ops>
struct Int16Of : Ops {
  static constexpr bool kByPeak = false;
  static constexpr float kMostOfRow = 32760.0f, kMostOfValue = 8191.0f;
  static constexpr float kMostWeight = 32760.0f, kMostWeights = 260000.0f;
  /** How far a score may be off, in units of the natural exponent: about its error as a share of the result.
   */
  static constexpr float kMostOff = 4e-4f;

  /** Two numbers rounded to units of their row are off by 1 / sqrt(12) of them each. */
  SELFSAME_INLINE float offPerNorm(float norm, float) { return norm * (0.4082f / kMostOfRow); }
  SELFSAME_INLINE float offPerPeak(float, float) { return 0.0f; }
  SELFSAME_INLINE bool valuesFit(float, float) { return true; }
  SELFSAME_INLINE V::Reg unitOfWeights(V::Reg most, V::Reg sum) {
    return V::max(V::mul(most, V::all(1.0f / kMostWeight)), V::mul(sum, V::all(1.0f / kMostWeights)));
  }
};
