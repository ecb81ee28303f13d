/**
 * Scores and softmax in one, where no option comes between them: scores begin at minus the reference, so that
 * a tile holds in registers what weights are powers of, and only weights are stored. The reference is looked
 * at after every tile and follows per lane, so that rows do not depend on their neighbours. A tile with a
 * masked key goes through memory, on the same arithmetic.
 */

/** Weights of a tile of scores that all rows see, added up; false, with its scores stored instead, where a
 * reference moves. */
template <int N>
SELFSAME_INLINE bool weighSums(V::Reg (&sum)[Tile::kKeys][N], const float* threshold, float* sums,
                               float* weights) {
  bool moves = false;
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    V::Reg best = sum[0][n];
    SELFSAME_UNROLL
    for (int t = 1; t < Tile::kKeys; ++t) best = V::max(best, sum[t][n]);
    moves = moves || V::any(V::greater(best, V::load(threshold + n * kLanes)));
  }
  if (moves) {
    storeTile<N>(sum, weights);
    return false;
  }
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

template <int N, bool kFetch>
SELFSAME_NOINLINE bool weighTile(const float* queries, int64_t headDim, const float* keys, int64_t keyRow,
                                 const TileAhead& ahead, const float* reference, const float* threshold,
                                 float* sums, float* weights) {
  V::Reg sum[Tile::kKeys][N];
  startTile<N>(reference, sum);
  multiplyTile<N, kFetch>(queries, headDim, keys, keyRow, ahead, sum);
  return weighSums<N>(sum, threshold, sums, weights);
}

template <int N>
SELFSAME_INLINE bool weighTileOf(const Workspace& w, const KeyTile& tile, float* weights) {
  if (tile.count == N) {
    const int lane = tile.vector * kLanes;
    const auto weigh = tile.fetches ? weighTile<N, true> : weighTile<N, false>;
    return weigh(w.queries + lane * w.headDim, w.headDim, tile.keys, tile.keyRow, tile.ahead,
                 w.reference + lane, w.threshold + lane, w.sum + lane, weights);
  }
  if constexpr (N > 1) return weighTileOf<N - 1>(w, tile, weights);
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

/** The scores of a tile, in memory, to weights; `vector` is the first that w.scores holds. */
static void settleTiles(const Workspace& w, const KeyTile& tile, int vector, int32_t key,
                        const int32_t* from) {
  const int first = tile.vector - vector;
  for (int i = first; i < first + tile.count; ++i) {
    if (!seesTile(w, vector + i, key))
      hideKeys(scoresOf(w, i), tile.at, tile.at + Tile::kKeys, visibleOf(w, i));
    settleTile(w, vector + i, scoresOf(w, i), from[i], tile.at);
  }
}

/** Before the first tile of a block: what its rows see, and from which key on each vector has weights. */
static void openWeights(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                        const Block& block, int32_t* from) {
  for (int i = 0; i < count; ++i) {
    const Reach part = within(w.vectorReach[vector + i], block.first, block.end);
    const int32_t begin = part.begin - block.first;
    from[i] = begin - begin % Tile::kKeys;
    V::store(w.factor + (vector + i) * kLanes, V::all(1.0f));
    // Whole tiles are weighed, also where keys begin or end within one.
    const bool overhangs = part.begin % Tile::kKeys != 0 || part.end % Tile::kKeys != 0;
    if (part.begin < part.end && (overhangs || hides(w, block, part))) {
      findVisible(call, task, w, vector + i, block, part, visibleOf(w, i));
    }
  }
}

/** Weights of the block for the vectors [vector, vector + count), written to w.scores. */
static void weighBlock(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                       const Block& block) {
  SELFSAME_PHASE(kScore);
  int32_t from[Tile::kQueryVectors];
  openWeights(call, task, w, vector, count, block, from);
  const Reach all = reachOfBlock(w, vector, count, block);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    float* scores = scoresOf(w, tile.vector - vector) + tile.at * kLanes;
    const bool whole = allSee(w, tile, key);
    if (whole && weighTileOf<Tile::kQueryVectors>(w, tile, scores)) continue;
    if (!whole) scoreTileOf<Tile::kQueryVectors>(w, tile, w.reference + tile.vector * kLanes, scores);
    settleTiles(w, tile, vector, key, from);
  }
}
