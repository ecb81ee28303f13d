/** Scores of keys by queries: lanes are queries, a key's channels are broadcast one after the other. */

static_assert(Tile::kKeys * Tile::kQueryVectors + Tile::kQueryVectors + 1 <= V::kRegs,
              "a score tile lives in registers");
static_assert(Tile::kBlock % Tile::kKeys == 0, "blocks are made of whole tiles");

/** Lays the queries of `count` vectors of rows out as [vector][channel][lane], times w.scale. */
template <int64_t kType>
SELFSAME_NOINLINE void packQueriesOf(const Workspace& w, int first, int count) {
  const V::Reg factor = V::all(w.scale);
  const int64_t whole = w.headDim - w.headDim % kLanes;
  for (int vector = first; vector < first + count; ++vector) {
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

static void packQueries(int64_t type, const Workspace& w, int first, int count) {
  SELFSAME_PHASE(kPack);
  if (type == kFloat16) return packQueriesOf<kFloat16>(w, first, count);
  if (type == kBfloat16) return packQueriesOf<kBfloat16>(w, first, count);
  packQueriesOf<kFloat32>(w, first, count);
}

using TileAhead = KeysAhead<Tile::kKeys>;

/** Adds the products of one channel of kKeys keys and N vectors of queries. */
template <int N>
SELFSAME_INLINE void multiplyChannel(const float* SELFSAME_RESTRICT queries, int64_t headDim,
                                     const float* SELFSAME_RESTRICT keys, int64_t keyRow,
                                     const TileAhead* ahead, int64_t c, V::Reg (&sum)[Tile::kKeys][N]) {
  constexpr int64_t kLine = 16, kBetween = kLine / Tile::kKeys;
  // One line of every key in as many channels as a line of float32 has.
  if (ahead != nullptr && c % kBetween == 0)
    V::prefetch(ahead->rows[c % kLine / kBetween] + (c - c % kLine) * ahead->channel);
  V::Reg query[N];
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) query[n] = V::load(queries + (n * headDim + c) * kLanes);
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[t][n] = V::fmaAll(keys + t * keyRow + c, query[n], sum[t][n]);
  }
}

/** Adds the products of kKeys keys and N vectors of queries to what `sum` begins with. */
template <int N>
SELFSAME_INLINE void multiplyTile(const float* SELFSAME_RESTRICT queries, int64_t headDim,
                                  const float* SELFSAME_RESTRICT keys, int64_t keyRow, const TileAhead* ahead,
                                  V::Reg (&sum)[Tile::kKeys][N]) {
  for (int64_t c = 0; c < headDim; ++c) multiplyChannel<N>(queries, headDim, keys, keyRow, ahead, c, sum);
}

/** Stores a tile of sums as [vector][key][lane]. */
template <int N>
SELFSAME_INLINE void storeTile(V::Reg (&sum)[Tile::kKeys][N], float* SELFSAME_RESTRICT scores) {
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) V::store(scores + (n * Tile::kBlock + t) * kLanes, sum[t][n]);
  }
}

/** Scores of one tile. */
template <int N>
SELFSAME_NOINLINE void scoreTile(const float* queries, int64_t headDim, const float* keys, int64_t keyRow,
                                 const TileAhead* ahead, float* scores) {
  V::Reg sum[Tile::kKeys][N];
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[t][n] = V::zero();
  }
  multiplyTile<N>(queries, headDim, keys, keyRow, ahead, sum);
  storeTile<N>(sum, scores);
}

/** kKeys keys and the vectors of queries that some of them are for. */
struct KeyTile {
  /** Place of the first key in the block. */
  int32_t at;
  /** First of the vectors, and how many. */
  int vector;
  int count;
  const float* keys;
  int64_t keyRow;
  /** Whether, and what, it fetches. */
  bool fetches;
  TileAhead ahead;

  const TileAhead* fetched() const { return fetches ? &ahead : nullptr; }
};

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

/** Whether some row reaches some key of the tile that begins at `key`; gaps within a block count as reached.
 */
static bool touches(const Reach& reach, int32_t key) {
  return reach.begin < key + Tile::kKeys && key < reach.end;
}

/** The tile that begins at `key`, for those of the vectors [vector, vector + count) that it concerns, if any.
 */
static bool openTile(const Workspace& w, int vector, int count, const Block& block, int32_t key,
                     KeyTile* tile) {
  int first = vector, last = vector + count;
  while (first < last && !touches(w.vectorReach[first], key)) ++first;
  while (first < last && !touches(w.vectorReach[last - 1], key)) --last;
  if (first == last) return false;
  const int32_t at = key - block.first;
  tile->at = at;
  tile->vector = first;
  tile->count = last - first;
  tile->keys = block.keys + at * block.keyRow;
  tile->keyRow = block.keyRow;
  tile->fetches = block.nextKeys.count > 0;
  if (tile->fetches) tile->ahead = keysAhead<Tile::kKeys>(block.nextKeys, at);
  if (at + Tile::kKeys > block.count) {
    copyLastKeys(w, block, at);
    tile->keys = w.lastKeys;
    tile->keyRow = w.headDim;
  }
  return true;
}

/** What the vectors [vector, vector + count) reach of a block. */
static Reach reachOfBlock(const Workspace& w, int vector, int count, const Block& block) {
  return within(reachOfAll(w.vectorReach + vector, count), block.first, block.end);
}

/** The scores of a vector of a tile of queries against the block, and the bits of the keys it sees. */
static float* scoresOf(const Workspace& w, int vector) { return w.scores + vector * Tile::kBlock * kLanes; }
static float* visibleOf(const Workspace& w, int vector) { return w.visible + vector * kBlockWords * kLanes; }

template <int N>
SELFSAME_INLINE void scoreTileOf(const Workspace& w, const KeyTile& tile, float* scores) {
  if (tile.count == N) {
    const float* queries = w.queries + tile.vector * kLanes * w.headDim;
    return scoreTile<N>(queries, w.headDim, tile.keys, tile.keyRow, tile.fetched(), scores);
  }
  if constexpr (N > 1) scoreTileOf<N - 1>(w, tile, scores);
}

/**
 * Asks memory for a row behind `last`. A core drops requests whose page it does not know, so the first row of
 * a page is read once: without that requests gained nothing, with it [8, 12, 512, 64] with lengths takes 5 %
 * less time, window 256 of 4096 4 %.
 */
static void askFor(const void* row, int64_t bytes, const void** last) {
  constexpr uintptr_t kPage = 4096;
  const uintptr_t page = reinterpret_cast<uintptr_t>(row) / kPage;
  if (bytes > 0 && page != reinterpret_cast<uintptr_t>(*last) / kPage)
    static_cast<void>(*static_cast<const volatile char*>(row));
  *last = row;
  for (int64_t at = 0; at < bytes; at += 64) V::prefetch(static_cast<const char*>(row) + at);
}

/**
 * What a tile of rows asks memory for while it is scored: before its last block where its results will go,
 * and before its first the queries of as many rows that follow. Every tile of keys asks for a share, as all
 * at once would wait for each other.
 */
struct RowsAhead {
  int next = 0;
  int end = 0;
  int share = 0;
  bool results = false;
  int queries = 0;
  const void* lastResult = nullptr;
  const void* lastQuery = nullptr;
};

/** For the vectors [vector, vector + count), which reach `keys` of the block. */
static RowsAhead rowsAhead(const Workspace& w, int vector, int count, const Block& block, const Reach& keys) {
  if (!block.opens && !block.closes) return {};
  const int lanes = count * kLanes, steps = (keys.end - keys.begin) / Tile::kKeys + 1;
  return {vector * kLanes, (vector + count) * kLanes, (lanes + steps - 1) / steps, block.closes,
          block.opens ? lanes : 0};
}

static void askForShare(const Workspace& w, RowsAhead* ahead) {
  const int end = smaller(ahead->next + ahead->share, ahead->end);
  for (int lane = ahead->next; lane < end; ++lane) {
    if (ahead->results && w.out[lane] != nullptr) askFor(w.out[lane], w.outBytes, &ahead->lastResult);
    if (ahead->queries > 0 && lane + ahead->queries < w.rows)
      askFor(w.query[lane + ahead->queries], w.queryBytes, &ahead->lastQuery);
  }
  ahead->next = end;
}

/**
 * Scores of the block for the vectors [vector, vector + count), written to w.scores. Only tiles and vectors
 * that some row attends to are computed.
 */
static void scoreBlock(const Workspace& w, int vector, int count, const Block& block) {
  SELFSAME_PHASE(kScore);
  const Reach all = reachOfBlock(w, vector, count, block);
  RowsAhead rows = rowsAhead(w, vector, count, block, all);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    askForShare(w, &rows);
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    scoreTileOf<Tile::kQueryVectors>(w, tile, scoresOf(w, tile.vector - vector) + tile.at * kLanes);
  }
}
