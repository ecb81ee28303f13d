/** Scores of keys by queries: lanes are queries, a key's channels are broadcast one after the other. */

static_assert(Tile::kKeys * Tile::kQueryVectors + Tile::kQueryVectors + 1 <= V::kRegs,
              "a score tile lives in registers");
static_assert(Tile::kBlock % Tile::kKeys == 0, "blocks are made of whole tiles");

/** Lays the queries of a task out as [vector][channel][lane], times the sign of the scale. */
template <int64_t kType>
SELFSAME_NOINLINE void packQueriesOf(const Workspace& w, float sign) {
  const V::Reg factor = V::all(sign);
  const int64_t whole = w.headDim - w.headDim % kLanes;
  for (int vector = 0; vector < w.vectors; ++vector) {
    const void* const* query = w.query + vector * kLanes;
    float* packed = w.queries + vector * kLanes * w.headDim;
    V::Reg rows[kLanes];
    for (int64_t c = 0; c < whole; c += kLanes) {
      SELFSAME_UNROLL
      for (int i = 0; i < kLanes; ++i) rows[i] = loadAs<kType>(query[i], c);
      V::transpose(rows);
      SELFSAME_UNROLL
      for (int i = 0; i < kLanes; ++i) V::store(packed + (c + i) * kLanes, V::mul(rows[i], factor));
    }
    const int tail = static_cast<int>(w.headDim - whole);
    if (tail == 0) continue;
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) rows[i] = loadTailAs<kType>(query[i], whole, tail);
    V::transpose(rows);
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      if (i < tail) V::store(packed + (whole + i) * kLanes, V::mul(rows[i], factor));
    }
  }
}

static void packQueries(int64_t type, const Workspace& w, float sign) {
  if (type == kFloat16) return packQueriesOf<kFloat16>(w, sign);
  if (type == kBfloat16) return packQueriesOf<kBfloat16>(w, sign);
  packQueriesOf<kFloat32>(w, sign);
}

/** One tile: kKeys keys by N vectors of queries. */
template <int N>
SELFSAME_NOINLINE void scoreTile(const float* SELFSAME_RESTRICT queries, int64_t headDim,
                                 const float* SELFSAME_RESTRICT keys, int64_t keyRow,
                                 float* SELFSAME_RESTRICT scores) {
  V::Reg sum[Tile::kKeys][N];
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[t][n] = V::zero();
  }
  for (int64_t c = 0; c < headDim; ++c) {
    V::Reg query[N];
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) query[n] = V::load(queries + (n * headDim + c) * kLanes);
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) {
      const V::Reg key = V::all(keys[t * keyRow + c]);
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[t][n] = V::fma(query[n], key, sum[t][n]);
    }
  }
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) V::store(scores + (n * Tile::kBlock + t) * kLanes, sum[t][n]);
  }
}

template <int N>
SELFSAME_INLINE void scoreTileOf(int n, const float* queries, int64_t headDim, const float* keys,
                                 int64_t keyRow, float* scores) {
  if (n == N) return scoreTile<N>(queries, headDim, keys, keyRow, scores);
  if constexpr (N > 1) scoreTileOf<N - 1>(n, queries, headDim, keys, keyRow, scores);
}

/** A tile that overhangs the last key is read from a copy, so that the tile itself never has to look. */
static void copyLastKeys(const Workspace& w, const Block& block, int32_t key) {
  for (int t = 0; t < Tile::kKeys; ++t) {
    float* row = w.lastKeys + t * w.headDim;
    if (key + t < block.count) {
      memcpy(row, block.keys + (key + t) * block.keyRow, w.headDim * sizeof(float));
    } else {
      memset(row, 0, w.headDim * sizeof(float));
    }
  }
}

/** Whether some row reaches some key of the tile that begins at `key`. */
static bool touches(const Reach& reach, int32_t key) {
  const Reach part = within(reach, key, key + Tile::kKeys);
  return part.begin < part.end;
}

/**
 * Products of the block's keys and the queries of the vectors [vector, vector + count), written to w.scores.
 * Only tiles and vectors that some row attends to are computed.
 */
static void scoreBlock(const Workspace& w, int vector, int count, const Block& block) {
  const Reach all =
      within(reachOfAll(w.vectorReach + vector, count), block.first, block.first + Tile::kBlock);
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    int first = vector, last = vector + count;
    while (first < last && !touches(w.vectorReach[first], key)) ++first;
    while (first < last && !touches(w.vectorReach[last - 1], key)) --last;
    if (first == last) continue;
    const int32_t at = key - block.first;
    const float* tile = block.keys + at * block.keyRow;
    int64_t row = block.keyRow;
    if (at + Tile::kKeys > block.count) {
      copyLastKeys(w, block, at);
      tile = w.lastKeys;
      row = w.headDim;
    }
    scoreTileOf<Tile::kQueryVectors>(last - first, w.queries + first * kLanes * w.headDim, w.headDim, tile,
                                     row, w.scores + ((first - vector) * Tile::kBlock + at) * kLanes);
  }
}
