/** Weights times values: lanes are channels, so values are read as they lie and results land row by row in
 * the output. */

static_assert(Tile::kRows * Tile::kChannelVectors + Tile::kChannelVectors + 1 <= V::kRegs,
              "a product tile lives in registers");
static_assert(kLanes % Tile::kRows == 0, "a vector of queries is made of whole groups of rows");

/** What a product tile reads and writes: one group of rows, one block of keys. */
struct Product {
  /** [key][lane] at the first lane of the group. */
  const float* weights;
  const float* values;
  int64_t valueRow;
  /** Keys of the block that any of the rows attends to. */
  int32_t begin;
  int32_t end;
  /** Bits of the keys that the rows see, where a weight of 0 does not keep a value out; else null. */
  const float* visible;
  float* const* out;
  const float* factor;
  /** The earlier result is there to be added to. */
  bool resumes;
  /** What the finished rows are multiplied by; null before the last block. */
  const float* inverse;
};

template <int N, bool kTail>
SELFSAME_INLINE void loadChannels(const float* from, int tail, V::Reg (&to)[N]) {
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    to[n] = kTail && n == N - 1 ? V::loadTail(from + n * kLanes, tail) : V::load(from + n * kLanes);
  }
}

/** Whether a row of the group sees key `key` of the block. */
static bool sees(const float* visible, int row, int32_t key) {
  uint32_t word;
  memcpy(&word, visible + key / kWordKeys * kLanes + row, sizeof(word));
  return (word >> (key % kWordKeys) & 1u) != 0;
}

/**
 * Adds weight times value for all keys. Where some value is not finite, each row skips what it must not see:
 * its weight there is 0, but 0 * NaN would be NaN.
 */
template <int N, bool kTail, bool kSkips>
SELFSAME_INLINE void addKeys(const Product& product, int64_t channel, int tail,
                             V::Reg (&sum)[Tile::kRows][N]) {
  const float* weights = product.weights + product.begin * kLanes;
  const int64_t valueRow = product.valueRow;
  const float* values = product.values + product.begin * valueRow + channel;
  for (int32_t key = product.begin; key < product.end; ++key, weights += kLanes, values += valueRow) {
    V::Reg value[N];
    loadChannels<N, kTail>(values, tail, value);
    SELFSAME_UNROLL
    for (int r = 0; r < Tile::kRows; ++r) {
      if (kSkips && !sees(product.visible, r, key)) continue;
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fmaAll(weights + r, value[n], sum[r][n]);
    }
  }
}

/** N vectors of channels from `channel` on; with kTail the last one has only `tail` channels. */
template <int N, bool kTail>
SELFSAME_NOINLINE void productTile(const Product& product, int64_t channel, int tail) {
  V::Reg sum[Tile::kRows][N];
  SELFSAME_UNROLL
  for (int r = 0; r < Tile::kRows; ++r) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[r][n] = V::zero();
  }
  if (product.visible != nullptr) {
    addKeys<N, kTail, true>(product, channel, tail, sum);
  } else {
    addKeys<N, kTail, false>(product, channel, tail, sum);
  }

  SELFSAME_UNROLL
  for (int r = 0; r < Tile::kRows; ++r) {
    if (product.out[r] == nullptr) continue;
    float* out = product.out[r] + channel;
    if (product.resumes) {
      V::Reg earlier[N];
      loadChannels<N, kTail>(out, tail, earlier);
      const V::Reg factor = V::all(product.factor[r]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fma(earlier[n], factor, sum[r][n]);
    }
    if (product.inverse != nullptr) {
      // + 0: a sum that underflowed to -0 becomes 0, whichever way the masked keys were passed over.
      const V::Reg inverse = V::all(product.inverse[r]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fma(sum[r][n], inverse, V::zero());
    }
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) {
      if (kTail && n == N - 1) {
        V::storeTail(out + n * kLanes, sum[r][n], tail);
      } else {
        V::store(out + n * kLanes, sum[r][n]);
      }
    }
  }
}

template <int N>
SELFSAME_INLINE void productTileOf(int n, const Product& product, int64_t channel, int tail) {
  if (n == N) {
    if (tail != 0) return productTile<N, true>(product, channel, tail);
    return productTile<N, false>(product, channel, 0);
  }
  if constexpr (N > 1) productTileOf<N - 1>(n, product, channel, tail);
}

/** How many of the vectors that are left make the next tile: never one alone where two pairs do. */
SELFSAME_INLINE int nextVectors(int64_t left, int most) {
  if (left >= most + 2 || left <= most) return left < most ? static_cast<int>(left) : most;
  return static_cast<int>((left + 1) / 2);
}

/** Adds the block to the outputs of the vectors [vector, vector + count). */
static void productBlock(const Workspace& w, int vector, int count, int64_t valueDim, const Block& block) {
  SELFSAME_PHASE(kProduct);
  const int64_t vectors = (valueDim + kLanes - 1) / kLanes;
  const int tail = static_cast<int>(valueDim % kLanes);
  const int firstGroup = vector * kLanes / Tile::kRows, lastGroup = (vector + count) * kLanes / Tile::kRows;
  const int32_t blockEnd = block.first + Tile::kBlock;
  for (int lane = vector * kLanes; lane < (vector + count) * kLanes; ++lane) {
    if (w.groupReach[lane / Tile::kRows].end <= blockEnd) w.inverse[lane] = inverseSum(w, lane);
  }
  for (int64_t done = 0; done < vectors;) {
    const int n = nextVectors(vectors - done, Tile::kChannelVectors);
    const bool last = done + n == vectors;
    for (int group = firstGroup; group < lastGroup; ++group) {
      const Reach& reach = w.groupReach[group];
      const int lane = group * Tile::kRows, tile = lane / kLanes - vector;
      const Reach part = within(reach, block.first, blockEnd);
      if (part.begin == part.end || lane >= w.rows) continue;
      Product product;
      product.begin = part.begin - block.first;
      product.end = part.end - block.first;
      product.weights = w.scores + tile * Tile::kBlock * kLanes + lane % kLanes;
      product.values = block.values;
      product.valueRow = block.valueRow;
      product.visible =
          block.finite ? nullptr : w.visible + tile * (Tile::kBlock / kWordKeys) * kLanes + lane % kLanes;
      product.out = w.out + lane;
      product.factor = w.factor + lane;
      product.resumes = reach.begin < block.first;
      product.inverse = reach.end <= blockEnd ? w.inverse + lane : nullptr;
      productTileOf<Tile::kChannelVectors>(n, product, done * kLanes, last ? tail : 0);
    }
    done += n;
  }
}
