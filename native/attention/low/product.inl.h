/** Packed weights times packed values, as product.inl.h does in float32, onto the same sums. */

// Sums, weights, a word of values and, without VNNI, a product.
static_assert(Tile::kChannels * kPackedVectors + kPackedVectors + 2 <= V::kRegs,
              "a packed product tile lives in registers");
static_assert(Tile::kPrecisions == 0 || kLanes % Tile::kChannels == 0,
              "channels that are made up to whole vectors make whole tiles");

/** Tile::kChannels channels from `channel` on, or as many as there are, of N vectors of rows whose first is
 * `lane`. */
template <class P, int N>
SELFSAME_NOINLINE void packedProductTile(const Product& product, const Packed& packed, int lane,
                                         int64_t channel) {
  constexpr int kChannels = Tile::kChannels;
  typename P::Sum sum[kChannels][N];
  SELFSAME_UNROLL
  for (int c = 0; c < kChannels; ++c) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[c][n] = P::start(0);
  }
  const int32_t begin = product.shared.begin, end = product.shared.end;
  const int64_t valueRow = packed.valueRow;
  const uint32_t* SELFSAME_RESTRICT weights =
      reinterpret_cast<const uint32_t*>(product.weights) + begin * kLanes;
  const uint32_t* SELFSAME_RESTRICT values = packed.values + begin * valueRow + channel;
  for (int32_t word = begin; word < end; ++word, weights += kLanes, values += valueRow) {
    typename P::Words weight[N];
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) weight[n] = P::load(weights + n * Tile::kBlock * kLanes);
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[c][n] = P::dot(values + c, weight[n], sum[c][n]);
    }
  }
  const int64_t left = product.valueDim - channel;
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    float* to = product.sums + (n * product.valueDim + channel) * kLanes;
    const V::Reg factor = V::load(product.factor + n * kLanes);
    const V::Reg unit = V::load(packed.weightUnit + lane + n * kLanes);
    const V::Reg weights = V::load(packed.weightSum + lane + n * kLanes);
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c, to += kLanes) {
      if (c >= left) break;
      V::Reg x = P::value(sum[c][n]);
      if constexpr (P::kScaled) {
        x = V::mul(x, V::mul(V::all(packed.valueUnit[channel + c]), unit));
        // The sum of a row that is NaN is NaN.
        x = V::fmaAll(packed.valueMean + channel + c, weights, x);
      }
      if (product.resumes) x = V::fma(V::load(to), factor, x);
      V::store(to, x);
    }
  }
}

/**
 * Adds the block to the sums of the vectors [vector, vector + count), whose weights w.scores holds. They take
 * all keys that one of them reaches: the weights of the others are 0, and packed values are finite.
 */
static void packedProductBlock(const Workspace& w, const Packed& packed, int vector, int count,
                               int64_t valueDim, const Block& block) {
  SELFSAME_PHASE(kProduct);
  Product product = openProduct(w, vector, count, valueDim, block);
  const Reach reached = reachOfBlock(w, vector, count, block);
  const Keys all{reached.begin - block.first, reached.end - block.first};
  for (int i = 0; i < count; ++i)
    packed.kernels->packWeights(packed, vector + i, scoresOf(w, i), product.keys[i], all);
  const int pack = packed.kernels->pack;
  product.shared = {all.begin / pack, (all.end + pack - 1) / pack};
  for (int64_t channel = 0; channel < valueDim; channel += Tile::kChannels)
    packed.kernels->productTile[count - 1](product, packed, vector * kLanes, channel);
}
