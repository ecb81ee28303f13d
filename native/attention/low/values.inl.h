/**
 * Values and weights of lower precision: packed along the keys, values in units of their channel, weights in
 * units of their row. Integers lose the mean of their block first, which comes back times the sum of the
 * weights: so what many small weights lose together by rounding has no direction.
 */

/** kLanes channels of a value, without the mean where it is taken away. */
template <class P>
SELFSAME_INLINE V::Reg loadValue(const Packed& packed, const float* value, int64_t channel, int64_t dim) {
  const V::Reg x = loadPadded(value, channel, dim);
  return P::kScaled ? V::sub(x, V::load(packed.valueMean + channel)) : x;
}

/** The mean, the unit and the fitness of every channel of the rows [from, to); false where the precision
 * cannot carry them. */
template <class P>
SELFSAME_NOINLINE bool measureValues(const Packed& packed, const Block& block, int32_t from, int32_t to,
                                     int64_t dim) {
  if (P::kScaled) meanOfRows(block.values, block.valueRow, from, to, dim, packed.valueMean);
  V::Reg squares = V::zero(), peaks = V::zero();
  for (int64_t c = 0; c < dim; c += kLanes) {
    V::Reg peak = V::zero(), square = V::zero();
    for (int32_t key = from; key < to; ++key) {
      const V::Reg x = loadValue<P>(packed, block.values + key * block.valueRow, c, dim);
      peak = largerSize(peak, x);
      square = V::fma(x, x, square);
    }
    peaks = V::fma(peak, peak, peaks);
    squares = V::add(squares, square);
    peak = V::max(peak, V::all(kLeastSize));
    V::store(packed.valueUnit + c, V::mul(peak, V::all(1.0f / P::kMostOfValue)));
  }
  float square[kLanes], most[kLanes], sum = 0.0f, mostSum = 0.0f;
  V::store(square, squares);
  V::store(most, peaks);
  for (int i = 0; i < kLanes; ++i) {
    sum += square[i];
    mostSum += most[i];
  }
  // NaN and infinity are in the sum; bfloat16 and means overflow only far above such sizes.
  constexpr float kMostSquares = 1e37f;
  return sum <= kMostSquares && P::valuesFit(sum / static_cast<float>(to - from), mostSum);
}

/** Packs the values of the keys [from, to) of a block, and 0 for the others; false where they must stay in
 * float32. */
template <class P>
SELFSAME_NOINLINE bool packValues(Packed& packed, const Block& block, int32_t from, int32_t to, int64_t dim) {
  SELFSAME_PHASE(kPack);
  packed.valueRow = paddedChannels(dim);
  if (!measureValues<P>(packed, block, from, to, dim)) return false;
  for (int32_t word = 0; word < Tile::kBlock / P::kPack; ++word) {
    uint32_t* row = packed.values + word * packed.valueRow;
    for (int64_t c = 0; c < dim; c += kLanes) {
      V::Reg x[P::kPack];
      SELFSAME_UNROLL
      for (int i = 0; i < P::kPack; ++i) {
        const int32_t key = word * P::kPack + i;
        x[i] = key < from || key >= to ? V::zero() : loadValue<P>(packed, block.values + key * block.valueRow, c, dim);
      }
      const V::Reg factor =
          P::kScaled ? V::div(V::all(1.0f), V::load(packed.valueUnit + c)) : V::all(1.0f);
      P::store(row + c, P::pack(x, factor));
    }
  }
  return true;
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
 * Packs the weights of one vector of rows, which lie at `scores`, in their own place: as [word][lane]. They
 * are rounded against the largest of the row in this block, not in all, so that a row of many small weights
 * beside a large one keeps them.
 */
template <class P>
SELFSAME_NOINLINE void packWeights(const Workspace& w, const Packed& packed, int vector, float* scores,
                                   const Block& block) {
  const Reach part = within(w.vectorReach[vector], block.first, block.end);
  if (part.begin == part.end) return;
  constexpr int32_t kStep = 4;
  static_assert(kStep % P::kPack == 0);
  const int32_t from = part.begin - block.first, to = part.end - block.first;
  const int32_t begin = from - from % kStep, end = (to + kStep - 1) / kStep * kStep;
  fillKeys(scores, begin, from, 0.0f);
  fillKeys(scores, to, end, 0.0f);
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
