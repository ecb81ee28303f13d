/** Weights times values: lanes are channels, so values are read as they lie and results land row by row in
 * the output. */

static_assert(Tile::kRows * Tile::kChannelVectors + Tile::kChannelVectors + 1 <= V::kRegs,
              "a product tile lives in registers");
static_assert(kLanes % Tile::kRows == 0, "a vector of queries is made of whole groups of rows");

/** What a product tile reads and writes: one group of rows, one block of keys. */
struct Product {
  /** [key][lane], from key `block` on, at the first lane of the group. */
  const float* weights;
  const float* values;
  int64_t valueRow;
  int32_t block;
  /** Keys that any of the rows attends to, and those that all do. */
  Reach keys;
  const KeyRange* range;
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

/**
 * Adds weight times value for the keys [begin, end). Where not all rows attend to all of these keys, each row
 * skips what it must not see: its weight there is 0, but 0 * NaN would be NaN.
 */
template <int N, bool kTail, bool kSkips>
SELFSAME_INLINE void addKeys(const Product& product, int32_t begin, int32_t end, int64_t channel, int tail,
                             V::Reg (&sum)[Tile::kRows][N]) {
  const float* weights = product.weights + (begin - product.block) * kLanes;
  const int64_t valueRow = product.valueRow;
  const float* values = product.values + begin * valueRow + channel;
  for (int32_t key = begin; key < end; ++key, weights += kLanes, values += valueRow) {
    V::Reg value[N];
    loadChannels<N, kTail>(values, tail, value);
    SELFSAME_UNROLL
    for (int r = 0; r < Tile::kRows; ++r) {
      if (kSkips && (key < product.range[r].begin || key >= product.range[r].end)) continue;
      const V::Reg weight = V::all(weights[r]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fma(weight, value[n], sum[r][n]);
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
  const Reach& keys = product.keys;
  addKeys<N, kTail, true>(product, keys.begin, keys.innerBegin, channel, tail, sum);
  addKeys<N, kTail, false>(product, keys.innerBegin, keys.innerEnd, channel, tail, sum);
  addKeys<N, kTail, true>(product, keys.innerEnd, keys.end, channel, tail, sum);

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
      const V::Reg inverse = V::all(product.inverse[r]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::mul(sum[r][n], inverse);
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

/** The values of one head of one item. */
struct Values {
  const float* first;
  int64_t row;
  int64_t dim;
};

/** 1 / sum of the weights; 0 for a row without weight, whose output is 0. */
static float inverseSum(float sum) { return sum == 0.0f ? 0.0f : 1.0f / sum; }

/** Adds the block that begins at key `block` to the outputs of the vectors [vector, vector + count). */
static void productBlock(const Workspace& w, int vector, int count, const Values& values, int32_t block) {
  const int64_t vectors = (values.dim + kLanes - 1) / kLanes;
  const int tail = static_cast<int>(values.dim % kLanes);
  const int firstGroup = vector * kLanes / Tile::kRows, lastGroup = (vector + count) * kLanes / Tile::kRows;
  const int32_t blockEnd = block + Tile::kBlock;
  for (int lane = vector * kLanes; lane < (vector + count) * kLanes; ++lane) {
    if (w.groupReach[lane / Tile::kRows].end <= blockEnd) w.inverse[lane] = inverseSum(w.sum[lane]);
  }
  for (int64_t done = 0; done < vectors;) {
    const int n = nextVectors(vectors - done, Tile::kChannelVectors);
    const bool last = done + n == vectors;
    for (int group = firstGroup; group < lastGroup; ++group) {
      const Reach& reach = w.groupReach[group];
      const int lane = group * Tile::kRows;
      Product product;
      product.keys = within(reach, block, blockEnd);
      if (product.keys.begin == product.keys.end || lane >= w.rows) continue;
      product.weights = w.scores + (lane / kLanes - vector) * Tile::kBlock * kLanes + lane % kLanes;
      product.values = values.first;
      product.valueRow = values.row;
      product.block = block;
      product.range = w.range + lane;
      product.out = w.out + lane;
      product.factor = w.factor + lane;
      product.resumes = reach.begin < block;
      product.inverse = reach.end <= blockEnd ? w.inverse + lane : nullptr;
      productTileOf<Tile::kChannelVectors>(n, product, done * kLanes, last ? tail : 0);
    }
    done += n;
  }
}
