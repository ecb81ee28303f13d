/** Packed weights times packed values, as product.inl.h does in float32, onto the same sums. */

// Sums, weights, a word of values and, without VNNI, a product.
static_assert(Tile::kChannels * kPackedVectors + kPackedVectors + 2 <= V::kRegs,
              "a packed product tile lives in registers");

/** Adds the products of some words of keys for the vectors [kFirst, kEnd). */
template <class P, int kChannels, int N, int kFirst, int kEnd>
SELFSAME_INLINE void addWords(const Product& product, const Packed& packed, int64_t channel, Keys words,
                              typename P::Sum (&sum)[kChannels][N]) {
  const int64_t valueRow = packed.valueRow;
  const uint32_t* SELFSAME_RESTRICT weights =
      reinterpret_cast<const uint32_t*>(product.weights) + words.begin * kLanes;
  const uint32_t* SELFSAME_RESTRICT values = packed.values + words.begin * valueRow + channel;
  for (int32_t word = words.begin; word < words.end; ++word, weights += kLanes, values += valueRow) {
    typename P::Words weight[N];
    SELFSAME_UNROLL
    for (int n = kFirst; n < kEnd; ++n) weight[n] = P::load(weights + n * Tile::kBlock * kLanes);
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      SELFSAME_UNROLL
      for (int n = kFirst; n < kEnd; ++n) sum[c][n] = P::dot(values + c, weight[n], sum[c][n]);
    }
  }
}

/** As addOwnKeys. */
template <class P, int kChannels, int N, int I = 0>
SELFSAME_INLINE void addOwnWords(const Product& product, const Packed& packed, int64_t channel, bool before,
                                 typename P::Sum (&sum)[kChannels][N]) {
  const Keys own = ownKeys(product.keys[I], product.shared, before);
  addWords<P, kChannels, N, I, I + 1>(product, packed, channel, own, sum);
  if constexpr (I + 1 < N) addOwnWords<P, kChannels, N, I + 1>(product, packed, channel, before, sum);
}

/** kChannels channels from `channel` on, of N vectors of rows whose first is `lane`. */
template <class P, int kChannels, int N>
SELFSAME_NOINLINE void packedProductTile(const Product& product, const Packed& packed, int lane,
                                         int64_t channel) {
  typename P::Sum sum[kChannels][N];
  SELFSAME_UNROLL
  for (int c = 0; c < kChannels; ++c) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[c][n] = P::start(0);
  }
  if constexpr (N > 1) addOwnWords<P, kChannels, N>(product, packed, channel, true, sum);
  addWords<P, kChannels, N, 0, N>(product, packed, channel, product.shared, sum);
  if constexpr (N > 1) addOwnWords<P, kChannels, N>(product, packed, channel, false, sum);
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    float* to = product.sums + (n * product.valueDim + channel) * kLanes;
    const V::Reg factor = V::load(product.factor + n * kLanes);
    const V::Reg unit = V::load(packed.weightUnit + lane + n * kLanes);
    const V::Reg weights = V::load(packed.weightSum + lane + n * kLanes);
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      V::Reg x = P::value(sum[c][n]);
      if constexpr (P::kScaled) {
        x = V::mul(x, V::mul(V::all(packed.valueUnit[channel + c]), unit));
        // The sum of a row that is NaN is NaN.
        x = V::fmaAll(packed.valueMean + channel + c, weights, x);
      }
      if (product.resumes) x = V::fma(V::load(to + c * kLanes), factor, x);
      V::store(to + c * kLanes, x);
    }
  }
}

/** All channels of `count` vectors, at most N. */
template <class P, int N>
static void packedChannels(int count, const Product& product, const Packed& packed, int lane) {
  if constexpr (N > 1) {
    if (count < N) return packedChannels<P, N - 1>(count, product, packed, lane);
  }
  constexpr int kMost = Tile::kChannels;
  int64_t channel = 0;
  for (; channel + kMost <= product.valueDim; channel += kMost)
    packedProductTile<P, kMost, N>(product, packed, lane, channel);
  for (; channel < product.valueDim; ++channel) packedProductTile<P, 1, N>(product, packed, lane, channel);
}

/** The words that hold some keys. */
template <class P>
static Keys wordsOf(const Keys& keys) {
  return {keys.begin / P::kPack, (keys.end + P::kPack - 1) / P::kPack};
}

/** Adds the block to the sums of the vectors [vector, vector + count), whose weights w.scores holds. */
template <class P>
static void packedProductBlock(const Workspace& w, const Packed& packed, int vector, int count,
                               int64_t valueDim, const Block& block) {
  SELFSAME_PHASE(kProduct);
  Product product = openProduct(w, vector, count, valueDim, block);
  for (int i = 0; i < count; ++i) {
    packWeights<P>(packed, vector + i, scoresOf(w, i), product.keys[i]);
    product.keys[i] = wordsOf<P>(product.keys[i]);
  }
  product.shared = wordsOf<P>(product.shared);
  packedChannels<P, kPackedVectors>(count, product, packed, vector * kLanes);
}
