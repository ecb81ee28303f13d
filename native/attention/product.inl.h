/**
 * Weights times values: lanes are queries, as they are of scores, and the channels of a value are broadcast
 * one after the other. Sums are kept as [vector][channel][lane] until the rows are finished.
 */

static_assert(Tile::kChannels * Tile::kQueryVectors + Tile::kQueryVectors + 1 <= V::kRegs,
              "a product tile lives in registers");

/** Keys of a block, by their place in it. */
struct Keys {
  int32_t begin;
  int32_t end;
};

/** What product tiles read and write: the vectors of a tile of queries, one block of keys. */
struct Product {
  /** [vector][key][lane]. */
  const float* weights;
  /** Bits of the keys that the rows see, [vector][word][lane]. */
  const float* visible;
  const float* values;
  int64_t valueRow;
  /** What each vector attends to, and what all do. */
  Keys keys[Tile::kQueryVectors];
  Keys shared;
  /** [vector][channel][lane]. */
  float* sums;
  int64_t valueDim;
  const float* factor;
  /** Earlier sums are there to be added to. */
  bool resumes;
  /** Fetched meanwhile. */
  Ahead ahead;
};

/**
 * Adds weight times value for some keys and the vectors [kFirst, kEnd). Where some value is not finite, lanes
 * skip what they must not see: their weight there is 0, but 0 * NaN would be NaN.
 */
template <int kChannels, int N, int kFirst, int kEnd, bool kSkips>
SELFSAME_INLINE void addKeys(const Product& product, int64_t channel, Keys keys,
                             V::Reg (&sum)[kChannels][N]) {
  const bool fetches =
      kEnd - kFirst == N && product.ahead.count > 0 && channel * product.ahead.channel % 64 == 0;
  const float* weights = product.weights + keys.begin * kLanes;
  const float* values = product.values + keys.begin * product.valueRow + channel;
  for (int32_t key = keys.begin; key < keys.end; ++key, weights += kLanes, values += product.valueRow) {
    if (fetches) V::prefetch(product.ahead.row(key) + channel * product.ahead.channel);
    V::Reg weight[N];
    SELFSAME_UNROLL
    for (int n = kFirst; n < kEnd; ++n) weight[n] = V::load(weights + n * Tile::kBlock * kLanes);
    V::Mask sees[N];
    if constexpr (kSkips) {
      const float* words = product.visible + key / kWordKeys * kLanes;
      for (int n = kFirst; n < kEnd; ++n)
        sees[n] = V::hasBit(V::load(words + n * kBlockWords * kLanes), 1u << (key % kWordKeys));
    }
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      SELFSAME_UNROLL
      for (int n = kFirst; n < kEnd; ++n) {
        const V::Reg more = V::fmaAll(values + c, weight[n], sum[c][n]);
        sum[c][n] = kSkips ? V::select(sees[n], more, sum[c][n]) : more;
      }
    }
  }
}

/** The keys that only vector I attends to, from those before or those behind the shared ones, and so on. */
template <int kChannels, int N, bool kSkips, int I = 0>
SELFSAME_INLINE void addOwnKeys(const Product& product, int64_t channel, bool before,
                                V::Reg (&sum)[kChannels][N]) {
  const Keys& all = product.keys[I];
  const Keys own = before ? Keys{all.begin, smaller(all.end, product.shared.begin)}
                          : Keys{larger(all.begin, product.shared.end), all.end};
  addKeys<kChannels, N, I, I + 1, kSkips>(product, channel, own, sum);
  if constexpr (I + 1 < N) addOwnKeys<kChannels, N, kSkips, I + 1>(product, channel, before, sum);
}

/** kChannels channels from `channel` on, of N vectors; the first `done` of them have their sums already. */
template <int kChannels, int N, bool kSkips>
SELFSAME_NOINLINE void productTile(const Product& product, int64_t channel, int done) {
  V::Reg sum[kChannels][N];
  SELFSAME_UNROLL
  for (int c = 0; c < kChannels; ++c) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[c][n] = V::zero();
  }
  if constexpr (N > 1) addOwnKeys<kChannels, N, kSkips>(product, channel, true, sum);
  addKeys<kChannels, N, 0, N, kSkips>(product, channel, product.shared, sum);
  if constexpr (N > 1) addOwnKeys<kChannels, N, kSkips>(product, channel, false, sum);
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    float* to = product.sums + (n * product.valueDim + channel) * kLanes;
    const V::Reg factor = V::load(product.factor + n * kLanes);
    SELFSAME_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      if (c < done) continue;
      if (product.resumes) sum[c][n] = V::fma(V::load(to + c * kLanes), factor, sum[c][n]);
      V::store(to + c * kLanes, sum[c][n]);
    }
  }
}

template <int kChannels, int N>
SELFSAME_INLINE void productTilesOf(const Product& product, int64_t channel, int done, bool finite) {
  if (finite) return productTile<kChannels, N, false>(product, channel, done);
  productTile<kChannels, N, true>(product, channel, done);
}

/** All channels of N vectors. Those beyond whole tiles are the end of a tile that begins among the others. */
template <int N>
static void productChannels(const Product& product, bool finite) {
  constexpr int kMost = Tile::kChannels;
  if (product.valueDim < kMost) {
    for (int64_t channel = 0; channel < product.valueDim; ++channel)
      productTilesOf<1, N>(product, channel, 0, finite);
    return;
  }
  const int64_t last = product.valueDim - kMost;
  for (int64_t channel = 0; channel <= last; channel += kMost)
    productTilesOf<kMost, N>(product, channel, 0, finite);
  const int rest = static_cast<int>(product.valueDim % kMost);
  if (rest > 0) productTilesOf<kMost, N>(product, last, kMost - rest, finite);
}

template <int N>
SELFSAME_INLINE void productOf(int count, const Product& product, bool finite) {
  if (count == N) return productChannels<N>(product, finite);
  if constexpr (N > 1) productOf<N - 1>(count, product, finite);
}

/** The product of the vectors [vector, vector + count) with the block. */
static Product openProduct(const Workspace& w, int vector, int count, int64_t valueDim, const Block& block) {
  Product product;
  product.weights = w.scores;
  product.visible = w.visible;
  product.values = block.values;
  product.valueRow = block.valueRow;
  product.shared = {0, Tile::kBlock};
  for (int i = 0; i < count; ++i) {
    const Reach part = within(w.vectorReach[vector + i], block.first, block.end);
    product.keys[i] = {part.begin - block.first, part.end - block.first};
    product.shared.begin = larger(product.shared.begin, product.keys[i].begin);
    product.shared.end = smaller(product.shared.end, product.keys[i].end);
  }
  // Vectors without a key in common have all of theirs before an empty place.
  if (product.shared.end < product.shared.begin) product.shared = {Tile::kBlock, Tile::kBlock};
  product.sums = w.outputs + vector * kLanes * valueDim;
  product.valueDim = valueDim;
  product.factor = w.factor + vector * kLanes;
  product.resumes = !block.opens;
  product.ahead = block.nextValues;
  return product;
}

/** Adds the block to the sums of the vectors [vector, vector + count). */
static void productBlock(const Workspace& w, int vector, int count, int64_t valueDim, const Block& block) {
  SELFSAME_PHASE(kProduct);
  const Product product = openProduct(w, vector, count, valueDim, block);
  productOf<Tile::kQueryVectors>(count, product, block.finite);
}

/** The sums of a vector of rows, normalised but where others are to come, as rows of the output. */
static void storeRows(const Workspace& w, int vector, int64_t valueDim) {
  const int lane = vector * kLanes;
  inverseSums(w, vector);
  const V::Reg inverse = w.partial ? V::all(1.0f) : V::load(w.inverse + lane);
  const float* sums = w.outputs + lane * valueDim;
  for (int64_t channel = 0; channel < valueDim; channel += kLanes) {
    const int count = static_cast<int>(valueDim - channel < kLanes ? valueDim - channel : kLanes);
    V::Reg rows[kLanes];
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      // Behind the last channel it is read again. + 0: a sum that underflowed to -0 becomes 0, whichever way
      // the masked keys were passed over.
      const float* sum = sums + (channel + smaller(i, count - 1)) * kLanes;
      rows[i] = V::fma(V::load(sum), inverse, V::zero());
    }
    V::transpose(rows);
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      float* out = w.out[lane + i];
      if (out == nullptr) continue;
      if (count == kLanes) {
        V::store(out + channel, rows[i]);
      } else {
        V::storeTail(out + channel, rows[i], count);
      }
    }
  }
}
