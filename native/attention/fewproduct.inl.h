/**
 * Weights times values for few rows: lanes are channels, so values are read as they lie and results land row
 * by row in the output.
 */

static_assert(Tile::kRows * Tile::kChannelVectors + Tile::kChannelVectors + 1 <= V::kRegs,
              "a product tile lives in registers");

/** What a tile of few rows reads and writes: rows side by side, one block of keys. */
struct RowProduct {
  /** [key][lane] at the first of the rows. */
  const float* weights;
  int64_t weightRow;
  const void* values;
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
  /** Fetched meanwhile. */
  Ahead ahead;
};

/** Vectors of channels that a tile of kRows rows takes: as many sums as keep the multiply-adds busy. */
template <int kRows>
constexpr int kChannelsOf = kRows >= Tile::kRows                          ? Tile::kChannelVectors
                            : kRows == 4 || (kRows == 2 && V::kRegs < 32) ? 4
                                                                          : 8;

template <int64_t kType, int N, bool kTail>
SELFSAME_INLINE void loadChannels(const void* from, int64_t at, int tail, V::Reg (&to)[N]) {
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    to[n] = kTail && n == N - 1 ? loadTailAs<kType>(from, at + n * kLanes, tail)
                                : loadAs<kType>(from, at + n * kLanes);
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
template <int64_t kType, int kRows, int N, bool kTail, bool kSkips, bool kFetch>
SELFSAME_INLINE void addKeys(const RowProduct& product, int64_t channel, int tail, V::Reg (&sum)[kRows][N]) {
  const int64_t weightRow = product.weightRow, valueRow = product.valueRow;
  const float* weights = product.weights + product.begin * weightRow;
  int64_t values = product.begin * valueRow + channel;
  for (int32_t key = product.begin; key < product.end; ++key, weights += weightRow, values += valueRow) {
    if (kFetch) {
      const char* next = product.ahead.row(key) + channel * product.ahead.channel;
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) {
        if (beginsLine<kType>(n * kLanes)) V::prefetch(next + n * kLanes * product.ahead.channel);
      }
    }
    V::Reg value[N];
    loadChannels<kType, N, kTail>(product.values, values, tail, value);
    SELFSAME_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (kSkips && !sees(product.visible, r, key)) continue;
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fmaAll(weights + r, value[n], sum[r][n]);
    }
  }
}

/** N vectors of channels from `channel` on; with kTail the last one has only `tail` channels. */
template <int kRows, int N, bool kTail, bool kSkips, int64_t kType = kFloat32>
SELFSAME_NOINLINE void productTile(const RowProduct& product, int64_t channel, int tail) {
  V::Reg sum[kRows][N];
  SELFSAME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[r][n] = V::zero();
  }
  if constexpr (kSkips) {
    addKeys<kType, kRows, N, kTail, true, false>(product, channel, tail, sum);
  } else if (kType != kFloat32 || product.ahead.count > 0) {
    addKeys<kType, kRows, N, kTail, false, true>(product, channel, tail, sum);
  } else {
    addKeys<kType, kRows, N, kTail, false, false>(product, channel, tail, sum);
  }

  SELFSAME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    if (product.out[r] == nullptr) continue;
    float* out = product.out[r] + channel;
    if (product.resumes) {
      V::Reg earlier[N];
      loadChannels<kFloat32, N, kTail>(out, 0, tail, earlier);
      const V::Reg factor = V::all(product.factor[r]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[r][n] = V::fma(earlier[n], factor, sum[r][n]);
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

template <int kRows, int N, bool kTail>
SELFSAME_INLINE void productTileOf(int n, const RowProduct& product, int64_t channel, int tail) {
  if (n == N) return productTile<kRows, N, kTail, false>(product, channel, tail);
  if constexpr (N > 1) productTileOf<kRows, N - 1, kTail>(n, product, channel, tail);
}

/**
 * n vectors of channels, at most N, the last of them with `tail` channels unless that is 0. Where rows skip
 * keys, every vector has a tile of its own, and so has the tail of few rows: tiles of all widths for these
 * too made the addon 32 KB larger.
 */
template <int kRows, int N>
static void productChannels(int n, const RowProduct& product, int64_t channel, int tail) {
  const int whole = tail == 0 ? n : n - 1;
  const int64_t last = channel + whole * kLanes;
  if (product.visible != nullptr) {
    for (; channel < last; channel += kLanes) productTile<kRows, 1, false, true>(product, channel, 0);
    if (tail != 0) productTile<kRows, 1, true, true>(product, last, tail);
    return;
  }
  if (whole > 0) productTileOf<kRows, N, false>(whole, product, channel, 0);
  if (tail != 0) productTile<kRows, 1, true, false>(product, last, tail);
}

/** The product of the rows from `lane` on, which lie in one group, with the block; false where they see
 * nothing of it. `vector` is the first that w.scores holds. */
static bool openProduct(const Workspace& w, int vector, int lane, const Block& block, RowProduct* product) {
  const Reach& reach = w.vectorReach[lane / kLanes];
  const Reach part = within(reach, block.first, block.end);
  if (part.begin == part.end || lane >= w.rows) return false;
  const int tile = lane / kLanes - vector;
  product->begin = part.begin - block.first;
  product->end = part.end - block.first;
  product->weights = w.scores + tile * Tile::kBlock * kLanes + lane % kLanes;
  product->weightRow = w.period;
  product->values = block.storedValues.type == kFloat32 ? block.values : block.storedValues.rows;
  product->valueRow = block.valueRow;
  product->visible = block.finite ? nullptr : w.visible + tile * kBlockWords * kLanes + lane % kLanes;
  product->out = w.out + lane;
  product->factor = w.factor + lane;
  product->resumes = reach.begin < block.first;
  product->ahead = {};
  return true;
}

/** All channels of kRows rows from `lane` on, or as many of them as there are. */
template <int kRows>
static void productRows(const Workspace& w, int vector, int lane, int64_t valueDim, const Block& block,
                        Ahead* ahead) {
  RowProduct product;
  if (!openProduct(w, vector, lane, block, &product)) return;
  const int64_t vectors = (valueDim + kLanes - 1) / kLanes;
  product.ahead = *ahead;
  for (int64_t done = 0, n; done < vectors; done += n) {
    n = nextVectors(vectors - done, kChannelsOf<kRows>);
    productChannels<kRows, kChannelsOf<kRows>>(static_cast<int>(n), product, done * kLanes,
                                               done + n == vectors ? static_cast<int>(valueDim % kLanes) : 0);
  }
  *ahead = {};
}

/** All channels of kRows rows from `lane` on and values as they are stored, which fill whole vectors. */
template <int64_t kType, int kRows>
static void productStored(const Workspace& w, int vector, int lane, int64_t valueDim, const Block& block,
                          Ahead* ahead) {
  RowProduct product;
  if (!openProduct(w, vector, lane, block, &product)) return;
  constexpr int64_t kTile = kChannelsOf<kRows> * kLanes;
  // Without a next block, this one is asked for once more.
  product.ahead = ahead->count > 0 ? *ahead : storedAhead(block.storedValues, valueDim, block.count);
  int64_t channel = 0;
  for (; channel + kTile - kLanes < valueDim; channel += kTile)
    productTile<kRows, kChannelsOf<kRows>, false, false, kType>(product, channel, 0);
  for (; channel < valueDim; channel += kLanes)
    productTile<kRows, 1, false, false, kType>(product, channel, 0);
  *ahead = {};
}

/** The same for all rows of a tile. */
template <int64_t kType>
static void productFewStored(const Workspace& w, int vector, int count, int64_t valueDim,
                             const Block& block) {
  SELFSAME_PHASE(kProduct);
  Ahead ahead = block.nextValues;
  const int end = smaller((vector + count) * kLanes, w.rows);
  for (int lane = vector * kLanes, rows; lane < end; lane += rows) {
    const int left = end - lane;
    rows = smaller(left >= 3 ? 4 : left, Tile::kRows);
    if (rows == 4) {
      productStored<kType, 4>(w, vector, lane, valueDim, block, &ahead);
    } else if (rows == 2) {
      productStored<kType, 2>(w, vector, lane, valueDim, block, &ahead);
    } else {
      productStored<kType, 1>(w, vector, lane, valueDim, block, &ahead);
    }
  }
}

/** Adds the block to the outputs of the vectors [vector, vector + count), in tiles of as many rows as there
 * are, while the next block is fetched. */
static void productFewRows(const Workspace& w, int vector, int count, int64_t valueDim, const Block& block) {
  if constexpr (kReadsStored) {
    const StoredRows& stored = block.storedValues;
    if (stored.scales != nullptr)
      scaleKeys(w, count, reachOfBlock(w, vector, count, block), block.first, stored.scales);
    if (stored.type == kInt8) return productFewStored<kInt8>(w, vector, count, valueDim, block);
    if (stored.type == kFloat16) return productFewStored<kFloat16>(w, vector, count, valueDim, block);
  }
  SELFSAME_PHASE(kProduct);
  Ahead ahead = block.nextValues;
  const int end = smaller((vector + count) * kLanes, w.rows);
  for (int lane = vector * kLanes, rows; lane < end; lane += rows) {
    const int left = end - lane;
    rows = left + 1 >= Tile::kRows ? Tile::kRows : left >= 3 ? 4 : left;
    if (rows == Tile::kRows) {
      productRows<Tile::kRows>(w, vector, lane, valueDim, block, &ahead);
    } else if (rows == 4) {
      productRows<4>(w, vector, lane, valueDim, block, &ahead);
    } else if (rows == 2) {
      productRows<2>(w, vector, lane, valueDim, block, &ahead);
    } else {
      productRows<1>(w, vector, lane, valueDim, block, &ahead);
    }
  }
}
