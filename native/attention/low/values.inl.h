/**
 * Values and weights of lower precision: packed along the keys, values in units of their channel, weights in
 * units of their row. Integers lose the mean of their block first, which comes back times the sum of the
 * weights: so what many small weights lose together by rounding has no direction.
 */

/** Vectors of channels that one pass over the rows of a block takes, with four registers for each. */
constexpr int kRangeVectors = 2;

/** The range, the sum and the sum of squares of some values, channel by channel. */
struct ValueRange {
  V::Reg least;
  V::Reg most;
  V::Reg sum;
  V::Reg squares;
};

/** Those of kRangeVectors vectors of channels. */
SELFSAME_INLINE void rangeOfValues(const Block& block, int32_t from, int32_t to, int64_t c, int64_t dim,
                                   ValueRange (&range)[kRangeVectors]) {
  const float* value = block.values + from * block.valueRow;
  SELFSAME_UNROLL
  for (int n = 0; n < kRangeVectors; ++n) {
    const V::Reg x = loadPadded(value, c + n * kLanes, dim);
    range[n] = {x, x, V::zero(), V::zero()};
  }
  for (int32_t key = from; key < to; ++key, value += block.valueRow) {
    SELFSAME_UNROLL
    for (int n = 0; n < kRangeVectors; ++n) {
      const V::Reg x = loadPadded(value, c + n * kLanes, dim);
      range[n].least = V::min(range[n].least, x);
      range[n].most = V::max(range[n].most, x);
      range[n].sum = V::add(range[n].sum, x);
      range[n].squares = V::fma(x, x, range[n].squares);
    }
  }
}

/**
 * The mean and the unit of every channel of the rows [from, to); false where values must stay in float32:
 * some is not finite, or the square of the largest is too many times the mean square.
 */
SELFSAME_NOINLINE bool measureValues(const Packed& packed, const Block& block, int32_t from, int32_t to,
                                     int64_t dim) {
  SELFSAME_PHASE(kPack);
  const float count = static_cast<float>(to - from);
  V::Reg squares = V::zero(), spread = V::zero(), peaks = V::zero();
  for (int64_t c = 0; c < dim; c += kRangeVectors * kLanes) {
    ValueRange range[kRangeVectors];
    rangeOfValues(block, from, to, c, dim, range);
    SELFSAME_UNROLL
    for (int n = 0; n < kRangeVectors; ++n) {
      if (c + n * kLanes >= dim) continue;
      const ValueRange& of = range[n];
      const V::Reg mean = V::mul(of.sum, V::all(1.0f / count));
      const V::Reg peak = V::max(V::max(V::sub(of.most, mean), V::sub(mean, of.least)), V::all(kLeastSize));
      V::store(packed.valueMean + c + n * kLanes, mean);
      V::store(packed.valueUnit + c + n * kLanes, V::mul(peak, V::all(1.0f / packed.kernels->mostOfValue)));
      squares = V::add(squares, of.squares);
      spread = V::add(spread, V::sub(of.squares, V::mul(V::mul(mean, mean), V::all(count))));
      peaks = V::fma(peak, peak, peaks);
    }
  }
  float square[kLanes], rest[kLanes], most[kLanes], sum = 0.0f, restSum = 0.0f, mostSum = 0.0f;
  V::store(square, squares);
  V::store(rest, spread);
  V::store(most, peaks);
  for (int i = 0; i < kLanes; ++i) {
    sum += square[i];
    restSum += rest[i];
    mostSum += most[i];
  }
  // NaN and infinity are in the sum; bfloat16 and means overflow only far above such sizes.
  constexpr float kMostSquares = 1e37f;
  // What is left beside a mean may be all rounding, but is then no worse than that.
  const float least = sum * 1e-6f;
  return sum <= kMostSquares &&
         mostSum <= packed.kernels->mostSpread * (restSum > least ? restSum : least) / count;
}

/** Packs the values of the keys [from, to) of a block, in the units that were measured. */
template <class P>
SELFSAME_NOINLINE void packValues(const Packed& packed, const Block& block, int32_t from, int32_t to,
                                  int64_t dim) {
  SELFSAME_PHASE(kPack);
  for (int64_t c = 0; c < dim; c += kLanes) {
    const V::Reg unit = V::load(packed.valueUnit + c);
    const V::Reg factor = P::kScaled ? V::div(V::all(1.0f), unit) : unit;
    const V::Reg mean = V::load(packed.valueMean + c);
    uint32_t* words = packed.values + c;
    for (int32_t key = from - from % P::kPack; key < to; key += P::kPack) {
      V::Reg x[P::kPack];
      SELFSAME_UNROLL
      for (int i = 0; i < P::kPack; ++i) {
        // Of those that no row sees any number will do.
        x[i] = loadPadded(block.values + clampTo(key + i, from, to - 1) * block.valueRow, c, dim);
        if (P::kScaled) x[i] = V::sub(x[i], mean);
      }
      P::store(words + key / P::kPack * packed.valueRow, P::pack(x, factor));
    }
  }
}

/** The largest of the weights of `count` keys in every lane, and their sum. */
struct WeightSize {
  V::Reg most;
  V::Reg sum;
};

SELFSAME_INLINE WeightSize measureWeights(const float* weights, int32_t count) {
  constexpr int kChains = 4;
  V::Reg most[kChains], sum[kChains];
  SELFSAME_UNROLL
  for (int i = 0; i < kChains; ++i) most[i] = sum[i] = V::zero();
  for (int32_t key = 0; key < count; key += kChains) {
    SELFSAME_UNROLL
    for (int i = 0; i < kChains; ++i) {
      const V::Reg weight = V::load(weights + (key + i) * kLanes);
      most[i] = V::max(most[i], weight);
      sum[i] = V::add(sum[i], weight);
    }
  }
  return {V::max(V::max(most[0], most[1]), V::max(most[2], most[3])),
          V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3]))};
}

/**
 * Packs the weights of one vector of rows, which lie at `scores`, in their own place: as [word][lane]; those
 * of `all` keys, which are 0 but for its own. They are rounded against the largest of the row in this block,
 * not in all, so that a row of many small weights beside a large one keeps them.
 */
template <class P>
SELFSAME_NOINLINE void packWeights(const Packed& packed, int vector, float* scores, const Keys& own,
                                   const Keys& all) {
  constexpr int32_t kStep = 4;
  static_assert(kStep % P::kPack == 0);
  const int32_t begin = all.begin - all.begin % kStep, end = (all.end + kStep - 1) / kStep * kStep;
  fillKeys(scores, begin, own.begin, 0.0f);
  fillKeys(scores, own.end, end, 0.0f);
  V::Reg factor = V::all(1.0f);
  if constexpr (P::kScaled) {
    const WeightSize size = measureWeights(scores + begin * kLanes, end - begin);
    const V::Reg unit = V::max(P::unitOfWeights(size.most, size.sum), V::all(1e-30f));
    factor = V::div(V::all(1.0f), unit);
    V::store(packed.weightUnit + vector * kLanes, unit);
    V::store(packed.weightSum + vector * kLanes, size.sum);
  }
  uint32_t* words = reinterpret_cast<uint32_t*>(scores);
  for (int32_t key = begin; key < end; key += P::kPack) {
    V::Reg x[P::kPack];
    SELFSAME_UNROLL
    for (int i = 0; i < P::kPack; ++i) x[i] = V::load(scores + (key + i) * kLanes);
    P::store(words + key / P::kPack * kLanes, P::pack(x, factor));
  }
}
