/**
 * Scores and softmax in one, where no option comes between them: scores begin at minus the reference, so that
 * a tile holds in registers what weights are powers of, and only weights are stored. The reference is looked
 * at after every tile and follows per lane, so that rows do not depend on their neighbours. A row's first
 * tile gives it its reference; only a tile where one moves later goes through memory, on the same arithmetic.
 */

static_assert(kWordKeys % Tile::kKeys == 0, "a tile's keys lie in one word of bits");

/** Sums that begin at minus the reference of every lane. */
template <int N>
SELFSAME_INLINE void startTile(const float* reference, V::Reg (&sum)[Tile::kKeys][N]) {
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    const V::Reg start = V::sub(V::zero(), V::load(reference + n * kLanes));
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) sum[t][n] = start;
  }
}

/** Hides the keys of a tile whose bits, from `bit` on, are not set in the rows' words of `visible`. */
template <int N>
SELFSAME_INLINE void hideInTile(const float* visible, int32_t bit, V::Reg (&sum)[Tile::kKeys][N]) {
  const V::Reg hidden = V::all(-INFINITY);
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    const V::Reg words = V::load(visible + n * kBlockWords * kLanes);
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t)
      sum[t][n] = V::select(V::hasBit(words, 1u << (bit + t)), sum[t][n], hidden);
  }
}

/**
 * Brings a tile's scores below the threshold; false, with the scores stored, where a reference moves that
 * weights have been relative to.
 */
template <int N>
SELFSAME_INLINE bool settleSums(V::Reg (&sum)[Tile::kKeys][N], float* reference, float* threshold,
                                float* weights) {
  V::Reg best[N];
  bool moves = false;
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    best[n] = sum[0][n];
    SELFSAME_UNROLL
    for (int t = 1; t < Tile::kKeys; ++t) best[n] = V::max(best[n], sum[t][n]);
    moves = moves || V::any(V::greater(best[n], V::load(threshold + n * kLanes)));
  }
  if (moves) {
    const V::Reg none = V::all(-INFINITY);
    bool follows = false;
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) {
      const V::Reg limit = V::load(threshold + n * kLanes);
      follows = follows || V::any(V::both(V::greater(best[n], limit), V::greater(limit, none)));
    }
    if (follows) {
      storeTile<N>(sum, weights);
      return false;
    }
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) {
      const V::Reg limit = V::load(threshold + n * kLanes);
      const V::Mask starts = V::greater(best[n], limit);
      const V::Reg rise = V::select(starts, best[n], V::zero());
      V::store(reference + n * kLanes, V::add(V::load(reference + n * kLanes), rise));
      V::store(threshold + n * kLanes, V::select(starts, V::all(kSlack), limit));
      SELFSAME_UNROLL
      for (int t = 0; t < Tile::kKeys; ++t) sum[t][n] = V::sub(sum[t][n], rise);
    }
  }
  return true;
}

/** Weights of a tile's scores, added up; false as settleSums. */
template <int N>
SELFSAME_INLINE bool weighSums(V::Reg (&sum)[Tile::kKeys][N], float* reference, float* threshold, float* sums,
                               float* weights) {
  if (!settleSums<N>(sum, reference, threshold, weights)) return false;
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    V::Reg total = V::zero();
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) {
      const V::Reg weight = powerOf2(sum[t][n]);
      V::store(weights + (n * Tile::kBlock + t) * kLanes, weight);
      total = V::add(total, weight);
    }
    V::store(sums + n * kLanes, V::add(V::load(sums + n * kLanes), total));
  }
  return true;
}

/** Scores of a tile of `count` vectors, in memory, that are to become weights while the next tile is
 * multiplied. */
struct Late {
  float* scores = nullptr;
  float* sums = nullptr;
  int count = 0;
};

/** The weight of one vector of a late tile, added to `total`. */
SELFSAME_INLINE void weighLate(float* score, V::Reg* total) {
  const V::Reg weight = powerOf2(V::load(score));
  V::store(score, weight);
  *total = V::add(*total, weight);
}

/** Late weights that no tile follows. */
SELFSAME_NOINLINE void weighLast(const Late& late) {
  for (int n = 0; n < late.count; ++n) {
    V::Reg total = V::zero();
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) weighLate(late.scores + (n * Tile::kBlock + t) * kLanes, &total);
    V::store(late.sums + n * kLanes, V::add(V::load(late.sums + n * kLanes), total));
  }
}

/** multiplyTile, between whose channels the weights of the tile before are computed. */
template <int N>
SELFSAME_INLINE void multiplyBeside(const Late& late, const float* SELFSAME_RESTRICT queries, int64_t headDim,
                                    const float* SELFSAME_RESTRICT keys, int64_t keyRow,
                                    const TileAhead* ahead, V::Reg (&sum)[Tile::kKeys][N]) {
  const int64_t step = headDim / (N * Tile::kKeys);
  int64_t c = 0;
  for (int n = 0; n < N; ++n) {
    V::Reg total = V::zero();
    for (int t = 0; t < Tile::kKeys; ++t) {
      weighLate(late.scores + (n * Tile::kBlock + t) * kLanes, &total);
      for (const int64_t end = c + step; c < end; ++c)
        multiplyChannel<N>(queries, headDim, keys, keyRow, ahead, c, sum);
    }
    V::store(late.sums + n * kLanes, V::add(V::load(late.sums + n * kLanes), total));
  }
  for (; c < headDim; ++c) multiplyChannel<N>(queries, headDim, keys, keyRow, ahead, c, sum);
}

/** As weighTile, but it stores scores: those of the tile before become weights meanwhile. */
template <int N>
SELFSAME_NOINLINE bool lateTile(const Late& late, const float* queries, int64_t headDim, const float* keys,
                                int64_t keyRow, const TileAhead* ahead, const float* visible, int32_t bit,
                                float* reference, float* threshold, float* weights) {
  V::Reg sum[Tile::kKeys][N];
  startTile<N>(reference, sum);
  if (late.count == N) {
    multiplyBeside<N>(late, queries, headDim, keys, keyRow, ahead, sum);
  } else {
    if (late.count > 0) weighLast(late);
    multiplyTile<N>(queries, headDim, keys, keyRow, ahead, sum);
  }
  if (visible != nullptr) hideInTile<N>(visible, bit, sum);
  if (!settleSums<N>(sum, reference, threshold, weights)) return false;
  storeTile<N>(sum, weights);
  return true;
}

/** Weights of a tile. Where there is `visible`, rows see the keys whose bits, from `bit` on, are set in it.
 */
template <int N>
SELFSAME_NOINLINE bool weighTile(const float* queries, int64_t headDim, const float* keys, int64_t keyRow,
                                 const TileAhead* ahead, const float* visible, int32_t bit, float* reference,
                                 float* threshold, float* sums, float* weights) {
  V::Reg sum[Tile::kKeys][N];
  startTile<N>(reference, sum);
  multiplyTile<N>(queries, headDim, keys, keyRow, ahead, sum);
  if (visible != nullptr) hideInTile<N>(visible, bit, sum);
  return weighSums<N>(sum, reference, threshold, sums, weights);
}

/** `first` is the tile's first vector of those at hand, `whole` whether its rows see all of its keys. */
template <int N>
SELFSAME_INLINE bool weighTileOf(const Workspace& w, const KeyTile& tile, int first, bool whole, Late* late,
                                 float* weights) {
  if (tile.count == N) {
    const int lane = tile.vector * kLanes;
    const float* visible = whole ? nullptr : visibleOf(w, first) + tile.at / kWordKeys * kLanes;
    if constexpr (Tile::kLateWeights) {
      const bool settled =
          lateTile<N>(*late, w.queries + lane * w.headDim, w.headDim, tile.keys, tile.keyRow, tile.fetched(),
                      visible, tile.at % kWordKeys, w.reference + lane, w.threshold + lane, weights);
      *late = settled ? Late{weights, w.sum + lane, N} : Late{};
      return settled;
    }
    return weighTile<N>(w.queries + lane * w.headDim, w.headDim, tile.keys, tile.keyRow, tile.fetched(),
                        visible, tile.at % kWordKeys, w.reference + lane, w.threshold + lane, w.sum + lane,
                        weights);
  }
  if constexpr (N > 1) return weighTileOf<N - 1>(w, tile, first, whole, late, weights);
  return false;
}

/** A tile's scores of one vector of rows, in memory, to weights; the block has earlier ones from key `from`
 * on. */
SELFSAME_NOINLINE void settleTile(const Workspace& w, int vector, float* scores, int32_t from, int32_t at) {
  const int lane = vector * kLanes;
  float* tile = scores + at * kLanes;
  V::Reg best = V::load(tile);
  for (int t = 1; t < Tile::kKeys; ++t) best = V::max(best, V::load(tile + t * kLanes));
  V::Reg origin = V::zero();
  if (V::any(V::greater(best, V::load(w.threshold + lane)))) {
    const Move move =
        moveReference<false>(best, w.reference + lane, w.threshold + lane, w.sum + lane, w.factor + lane);
    origin = move.rise;
    for (int32_t key = from; key < at; ++key) {
      V::store(scores + key * kLanes, V::mul(V::load(scores + key * kLanes), move.shrink));
    }
  }
  V::store(w.sum + lane, V::add(V::load(w.sum + lane), weighKeys<false>(tile, Tile::kKeys, origin)));
}

/** Whether every row of a vector sees all keys of the tile that begins at `key`. */
static bool seesTile(const Workspace& w, int vector, int32_t key) {
  const Reach& reach = w.vectorReach[vector];
  return !w.masked && reach.innerBegin <= key && key + Tile::kKeys <= reach.innerEnd;
}

/** Whether all rows that a tile is for see all of its keys. */
static bool allSee(const Workspace& w, const KeyTile& tile, int32_t key) {
  for (int i = 0; i < tile.count; ++i) {
    if (!seesTile(w, tile.vector + i, key)) return false;
  }
  return true;
}

/** Before the first tile of a block: what the vectors [vector, vector + count) see of `all` that they reach.
 */
static void openWeights(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                        const Block& block, const Reach& all) {
  Reach parts[Tile::kQueryVectors];
  bool edge = false;
  for (int i = 0; i < count; ++i) {
    parts[i] = within(w.vectorReach[vector + i], block.first, block.end);
    // Whole tiles are weighed, also where keys begin or end within one, and for all vectors at hand.
    const bool overhangs = parts[i].begin % Tile::kKeys != 0 || parts[i].end % Tile::kKeys != 0;
    edge = edge || overhangs || hides(w, block, parts[i]) || parts[i].begin > all.begin ||
           parts[i].end < all.end;
  }
  for (int i = 0; edge && i < count; ++i) {
    Reach shared = parts[i];
    shared.begin = all.begin;
    shared.end = all.end;
    findVisible(call, task, w, vector + i, block, shared, visibleOf(w, i));
  }
}

/** The scores of a tile, in memory, to weights; `vector` is the first that w.scores holds. */
static void settleTiles(const Workspace& w, const KeyTile& tile, int vector, const Block& block) {
  for (int i = tile.vector; i < tile.vector + tile.count; ++i) {
    const int32_t from = within(w.vectorReach[i], block.first, block.end).begin - block.first;
    settleTile(w, i, scoresOf(w, i - vector), from - from % Tile::kKeys, tile.at);
  }
}

/** Weights of the block for the vectors [vector, vector + count), written to w.scores. */
static void weighBlock(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                       const Block& block) {
  SELFSAME_PHASE(kScore);
  const Reach all = reachOfBlock(w, vector, count, block);
  openWeights(call, task, w, vector, count, block, all);
  RowsAhead rows = rowsAhead(w, vector, count, block, all);
  KeyTile tile;
  Late late;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    askForShare(w, &rows);
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    const int first = tile.vector - vector;
    float* scores = scoresOf(w, first) + tile.at * kLanes;
    if (weighTileOf<Tile::kQueryVectors>(w, tile, first, allSee(w, tile, key), &late, scores)) continue;
    settleTiles(w, tile, vector, block);
  }
  weighLast(late);
}
