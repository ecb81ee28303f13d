/** Packed weights times packed values, as product.inl.h does in float32. */

/** Vectors of channels of a packed tile. */
constexpr int kPackedChannels = Tile::kChannelVectors < 2 ? Tile::kChannelVectors : 2;
static_assert(Tile::kRows * kPackedChannels + kPackedChannels + 2 <= V::kRegs,
              "a packed product tile lives in registers");

/** The first channels of a vector; where masks cost nothing, without asking whether they are all. */
template <class P>
SELFSAME_INLINE V::Reg loadSome(const float* from, int count) {
  return P::kFreeMasks || count < kLanes ? V::loadTail(from, count) : V::load(from);
}
template <class P>
SELFSAME_INLINE void storeSome(float* to, V::Reg x, int count) {
  if (P::kFreeMasks || count < kLanes) {
    V::storeTail(to, x, count);
  } else {
    V::store(to, x);
  }
}

/** N vectors of channels from `channel` on; with a tail the last one has only so many channels. */
template <class P, int N>
SELFSAME_NOINLINE void packedProductTile(const Product& product, const Packed& packed, int lane,
                                         int64_t channel, int tail) {
  typename P::Sum sum[Tile::kRows][N];
  SELFSAME_UNROLL
  for (int r = 0; r < Tile::kRows; ++r) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[r][n] = P::start(0);
  }
  const int32_t begin = product.begin / P::kPack, end = (product.end + P::kPack - 1) / P::kPack;
  const int64_t valueRow = packed.valueRow;
  const uint32_t* SELFSAME_RESTRICT weights =
      reinterpret_cast<const uint32_t*>(product.weights) + begin * kLanes;
  const uint32_t* SELFSAME_RESTRICT values = packed.values + begin * valueRow + channel;
  for (int32_t word = begin; word < end; ++word, weights += kLanes, values += valueRow) {
    typename P::Words value[N];
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) value[n] = P::load(values + n * kLanes);
    SELFSAME_UNROLL
    for (int r = 0; r < Tile::kRows; ++r) {
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = P::dotWeight(weights + r, value[n], sum[r][n]);
    }
  }
  const float* inverse = product.inverse != nullptr ? product.inverse : packed.ones;
  const float* weightUnit = packed.weightUnit + lane;
  const float* weightSum = packed.weightSum + lane;
  V::Reg valueUnit[N], mean[N];
  SELFSAME_UNROLL
  for (int n = 0; n < N && P::kScaled; ++n) {
    valueUnit[n] = V::load(packed.valueUnit + channel + n * kLanes);
    mean[n] = V::load(packed.valueMean + channel + n * kLanes);
  }
  SELFSAME_UNROLL
  for (int r = 0; r < Tile::kRows; ++r) {
    float* out = product.out[r] + channel;
    if (product.out[r] == nullptr) continue;
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n, out += kLanes) {
      const int count = n == N - 1 && tail != 0 ? tail : kLanes;
      V::Reg x = P::value(sum[r][n]);
      if constexpr (P::kScaled) {
        // The sum of a row that is NaN is NaN.
        x = V::mul(x, V::mul(valueUnit[n], V::all(weightUnit[r])));
        x = V::fmaAll(weightSum + r, mean[n], x);
      }
      x = V::fmaAll(product.factor + r, loadSome<P>(out, product.resumes ? count : 0), x);
      storeSome<P>(out, V::fmaAll(inverse + r, x, V::zero()), count);
    }
  }
}

template <class P, int N>
SELFSAME_INLINE void packedProductOf(int n, const Product& product, const Packed& packed, int lane,
                                     int64_t channel, int tail) {
  if (n == N) return packedProductTile<P, N>(product, packed, lane, channel, tail);
  if constexpr (N > 1) packedProductOf<P, N - 1>(n, product, packed, lane, channel, tail);
}

/** Adds the block to the outputs of the vectors [vector, vector + count), whose weights w.scores holds. */
template <class P>
static void packedProductBlock(const Workspace& w, const Packed& packed, int vector, int count,
                               int64_t valueDim, const Block& block) {
  SELFSAME_PHASE(kProduct);
  for (int i = 0; i < count; ++i) packWeights<P>(w, packed, vector + i, scoresOf(w, i), block);
  const int firstLane = vector * kLanes, endLane = (vector + count) * kLanes;
  closeSums(w, vector, count, block);
  constexpr int kGroups = kPackedVectors * kLanes / Tile::kRows;
  Product products[kGroups];
  int lanes[kGroups], groups = 0;
  for (int lane = firstLane; lane < endLane; lane += Tile::kRows) {
    lanes[groups] = lane;
    if (openProduct(w, vector, lane, block, &products[groups])) ++groups;
  }
  const int64_t vectors = (valueDim + kLanes - 1) / kLanes;
  for (int64_t done = 0; done < vectors;) {
    const int n = nextVectors(vectors - done, kPackedChannels);
    const int tail = done + n == vectors ? static_cast<int>(valueDim % kLanes) : 0;
    for (int i = 0; i < groups; ++i)
      packedProductOf<P, kPackedChannels>(n, products[i], packed, lanes[i], done * kLanes, tail);
    done += n;
  }
}
