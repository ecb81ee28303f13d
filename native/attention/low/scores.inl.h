/** Scores from packed queries and keys, and their softmax: as scores.inl.h and weigh.inl.h do in float32. */

// Sums, queries, a key's word and, without VNNI, a product.
static_assert(Tile::kKeys * kPackedVectors + kPackedVectors + 2 <= V::kRegs,
              "a packed score tile lives in registers");

/** What a packed tile reads. */
struct PackedTile {
  const uint32_t* queries;
  const float* queryUnit;
  /** Scores begin at the offset of their lane. */
  const float* offset;
  const uint32_t* keys;
  const float* keyUnit;
  const int32_t* keyStart;
  int64_t words;
  int64_t keyRow;
  /** Words of the keys that rows see, from `bit` on; null where they see all. */
  const float* visible;
  int32_t bit;
};

/** Sums of products of a tile as scores, added to offset less reference of their lane. */
template <class P, int N>
SELFSAME_INLINE void multiplyPacked(const PackedTile& tile, const float* reference,
                                    V::Reg (&score)[Tile::kKeys][N]) {
  typename P::Sum sum[Tile::kKeys][N];
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kKeys; ++t) {
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) sum[t][n] = P::start(tile.keyStart[t]);
  }
  const uint32_t* SELFSAME_RESTRICT queries = tile.queries;
  const uint32_t* SELFSAME_RESTRICT keys = tile.keys;
  const int64_t words = tile.words, keyRow = tile.keyRow;
  for (int64_t c = 0; c < words; ++c) {
    typename P::Words query[N];
    SELFSAME_UNROLL
    for (int n = 0; n < N; ++n) query[n] = P::load(queries + (n * words + c) * kLanes);
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) {
      SELFSAME_UNROLL
      for (int n = 0; n < N; ++n) sum[t][n] = P::dot(keys + t * keyRow + c, query[n], sum[t][n]);
    }
  }
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    V::Reg unit = V::load(tile.queryUnit + n * kLanes);
    if (P::kSharesUnits) unit = V::mul(unit, V::all(tile.keyUnit[0]));
    const V::Reg start = V::sub(V::load(tile.offset + n * kLanes), V::load(reference + n * kLanes));
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kKeys; ++t) {
      const V::Reg value = P::value(sum[t][n]);
      if constexpr (P::kSharesUnits) {
        score[t][n] = V::fma(value, unit, start);
      } else if constexpr (P::kScaled) {
        score[t][n] = V::fmaAll(tile.keyUnit + t, V::mul(value, unit), start);
      } else {
        score[t][n] = V::add(value, start);
      }
    }
  }
}

/** As weighTile; with `only` it stores the scores. */
template <class P, int N>
SELFSAME_NOINLINE bool weighPackedTile(const PackedTile& tile, bool only, float* reference, float* threshold,
                                       float* sums, float* weights) {
  V::Reg score[Tile::kKeys][N];
  multiplyPacked<P, N>(tile, reference, score);
  if (tile.visible != nullptr) hideInTile<N>(tile.visible, tile.bit, score);
  if (!only) return weighSums<N>(score, reference, threshold, sums, weights);
  storeTile<N>(score, weights);
  return false;
}

/** The tile's packed operands; `first` is its first vector of those at hand. */
static PackedTile packedTile(const Workspace& w, const Packed& packed, const KeyTile& tile, int first,
                             bool whole) {
  const int lane = tile.vector * kLanes;
  const float* visible = visibleOf(w, first) + tile.at / kWordKeys * kLanes;
  return {packed.queries + lane * packed.words,
          packed.queryUnit + lane,
          packed.offset + lane,
          packed.keys + tile.at * packed.keyRow,
          packed.keyUnit + tile.at,
          packed.keyStart + tile.at,
          packed.words,
          packed.keyRow,
          whole ? nullptr : visible,
          tile.at % kWordKeys};
}

/** Scores of one tile, less the reference; the lanes that are marked so get theirs in float32. */
static void scoreEither(const Workspace& w, const Packed& packed, const KeyTile& tile, int first,
                        const ExactLanes& exact, float* reference, float* scores) {
  if (!exact.all) {
    packed.kernels->weighTile[tile.count - 1](packedTile(w, packed, tile, first, true), true, reference,
                                              nullptr, nullptr, scores);
  }
  if (!exact.some) return;
  float* others = packed.exactScores + (first * Tile::kBlock + tile.at) * kLanes;
  scoreTileOf<kPackedVectors>(w, tile, others);
  for (int n = 0; n < tile.count; ++n) {
    const V::Mask chosen = V::greater(V::load(packed.exact + (tile.vector + n) * kLanes), V::zero());
    const V::Reg origin = V::load(reference + n * kLanes);
    for (int t = 0; t < Tile::kKeys; ++t) {
      const int64_t at = (n * Tile::kBlock + t) * kLanes;
      V::store(scores + at, V::select(chosen, V::sub(V::load(others + at), origin), V::load(scores + at)));
    }
  }
}

/** Scores of the block for the vectors [vector, vector + count), as scoreBlock. */
static void scorePackedBlock(const Workspace& w, const Packed& packed, int vector, int count,
                             const Block& block) {
  SELFSAME_PHASE(kScore);
  const ExactLanes exact = findExactLanes(w, packed, vector, count);
  const Reach all = reachOfBlock(w, vector, count, block);
  RowsAhead rows = rowsAhead(w, vector, count, block, all);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    askForShare(w, &rows);
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    const int first = tile.vector - vector;
    scoreEither(w, packed, tile, first, exact, packed.zeros, scoresOf(w, first) + tile.at * kLanes);
  }
}

/** Weights of the block for the vectors [vector, vector + count), as weighBlock. */
static void weighPackedBlock(const Call& call, const Task& task, const Workspace& w, const Packed& packed,
                             int vector, int count, const Block& block) {
  SELFSAME_PHASE(kScore);
  const Reach all = reachOfBlock(w, vector, count, block);
  openWeights(call, task, w, vector, count, block, all);
  const ExactLanes exact = findExactLanes(w, packed, vector, count);
  RowsAhead rows = rowsAhead(w, vector, count, block, all);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    askForShare(w, &rows);
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    const int first = tile.vector - vector, lane = tile.vector * kLanes;
    float* scores = scoresOf(w, first) + tile.at * kLanes;
    if (!exact.some) {
      const PackedTile operands = packedTile(w, packed, tile, first, allSee(w, tile, key));
      if (packed.kernels->weighTile[tile.count - 1](operands, false, w.reference + lane, w.threshold + lane,
                                                    w.sum + lane, scores))
        continue;
    } else {
      scoreEither(w, packed, tile, first, exact, w.reference + lane, scores);
      for (int i = 0; i < tile.count; ++i) {
        if (!seesTile(w, tile.vector + i, key))
          hideKeys(scoresOf(w, first + i), tile.at, tile.at + Tile::kKeys, visibleOf(w, first + i));
      }
    }
    settleTiles(w, tile, vector, block);
  }
}
