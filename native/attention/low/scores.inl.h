/** Scores from packed queries and keys, and their softmax: as scores.inl.h and weigh.inl.h do in float32. */

// Sums, queries, a key's word and, without VNNI, a product.
static_assert(Tile::kKeys * kPackedVectors + kPackedVectors + 2 <= V::kRegs,
              "a packed score tile lives in registers");

/** What a packed tile reads. */
struct PackedTile {
  const uint32_t* queries;
  const float* queryUnit;
  /** Scores begin at the offset less the reference of their lane. */
  const float* offset;
  const float* reference;
  const uint32_t* keys;
  const float* keyUnit;
  const int32_t* keyStart;
  int64_t words;
  int64_t keyRow;
};

/** Sums of products of a tile as scores, added to what each lane begins with. */
template <class P, int N>
SELFSAME_INLINE void multiplyPacked(const PackedTile& tile, V::Reg (&score)[Tile::kKeys][N]) {
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
      for (int n = 0; n < N; ++n) sum[t][n] = P::dotKey(keys + t * keyRow + c, query[n], sum[t][n]);
    }
  }
  SELFSAME_UNROLL
  for (int n = 0; n < N; ++n) {
    V::Reg unit = V::load(tile.queryUnit + n * kLanes);
    if (P::kSharesUnits) unit = V::mul(unit, V::all(tile.keyUnit[0]));
    const V::Reg start = V::sub(V::load(tile.offset + n * kLanes), V::load(tile.reference + n * kLanes));
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

template <class P, int N>
SELFSAME_NOINLINE void scorePacked(const PackedTile& tile, float* scores) {
  V::Reg score[Tile::kKeys][N];
  multiplyPacked<P, N>(tile, score);
  storeTile<N>(score, scores);
}

/** As weighTile. */
template <class P, int N>
SELFSAME_NOINLINE bool weighPackedTile(const PackedTile& tile, const float* threshold, float* sums,
                                       float* weights) {
  V::Reg score[Tile::kKeys][N];
  multiplyPacked<P, N>(tile, score);
  return weighSums<N>(score, threshold, sums, weights);
}

static PackedTile packedTile(const Workspace& w, const Packed& packed, const KeyTile& tile,
                             const float* reference) {
  const int lane = tile.vector * kLanes;
  return {packed.queries + lane * packed.words,
          packed.queryUnit + lane,
          packed.offset + lane,
          reference,
          packed.keys + tile.at * packed.keyRow,
          packed.keyUnit + tile.at,
          packed.keyStart + tile.at,
          packed.words,
          packed.keyRow};
}

template <class P, int N>
SELFSAME_INLINE void scorePackedOf(int count, const PackedTile& tile, float* scores) {
  if (count == N) return scorePacked<P, N>(tile, scores);
  if constexpr (N > 1) scorePackedOf<P, N - 1>(count, tile, scores);
}

template <class P, int N>
SELFSAME_INLINE bool weighPackedOf(const Workspace& w, const Packed& packed, const KeyTile& tile,
                                   float* weights) {
  const int lane = tile.vector * kLanes;
  if (tile.count == N) {
    return weighPackedTile<P, N>(packedTile(w, packed, tile, w.reference + lane), w.threshold + lane,
                                 w.sum + lane, weights);
  }
  if constexpr (N > 1) return weighPackedOf<P, N - 1>(w, packed, tile, weights);
  return false;
}

/** Scores of one tile; the lanes that are marked so get theirs in float32. */
template <class P>
static void scoreEither(const Workspace& w, const Packed& packed, const KeyTile& tile, int firstVector,
                        const ExactLanes& exact, const float* reference, float* scores) {
  if (!exact.all)
    scorePackedOf<P, kPackedVectors>(tile.count, packedTile(w, packed, tile, reference), scores);
  if (!exact.some) return;
  const int64_t at = (tile.vector - firstVector) * Tile::kBlock * kLanes + tile.at * kLanes;
  float* others = exact.all ? scores : packed.exactScores + at;
  scoreTileOf<kPackedVectors>(w, tile, reference, others);
  if (exact.all) return;
  for (int n = 0; n < tile.count; ++n) {
    const V::Mask chosen = V::greater(V::load(packed.exact + (tile.vector + n) * kLanes), V::zero());
    for (int t = 0; t < Tile::kKeys; ++t) {
      const int64_t of = (n * Tile::kBlock + t) * kLanes;
      V::store(scores + of, V::select(chosen, V::load(others + of), V::load(scores + of)));
    }
  }
}

/** Scores of the block for the vectors [vector, vector + count), as scoreBlock. */
template <class P>
static void scorePackedBlock(const Workspace& w, const Packed& packed, int vector, int count,
                             const Block& block) {
  SELFSAME_PHASE(kScore);
  const ExactLanes exact = findExactLanes<P>(w, packed, vector, count);
  const Reach all = reachOfBlock(w, vector, count, block);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    scoreEither<P>(w, packed, tile, vector, exact, w.zeros,
                   scoresOf(w, tile.vector - vector) + tile.at * kLanes);
  }
}

/** Weights of the block for the vectors [vector, vector + count), as weighBlock. */
template <class P>
static void weighPackedBlock(const Call& call, const Task& task, const Workspace& w, const Packed& packed,
                             int vector, int count, const Block& block) {
  SELFSAME_PHASE(kScore);
  int32_t from[Tile::kQueryVectors];
  openWeights(call, task, w, vector, count, block, from);
  const ExactLanes exact = findExactLanes<P>(w, packed, vector, count);
  const Reach all = reachOfBlock(w, vector, count, block);
  KeyTile tile;
  for (int32_t key = all.begin - all.begin % Tile::kKeys; key < all.end; key += Tile::kKeys) {
    if (!openTile(w, vector, count, block, key, &tile)) continue;
    float* scores = scoresOf(w, tile.vector - vector) + tile.at * kLanes;
    const bool fast = !exact.some && allSee(w, tile, key);
    if (fast && weighPackedOf<P, kPackedVectors>(w, packed, tile, scores)) continue;
    if (!fast) scoreEither<P>(w, packed, tile, vector, exact, w.reference + tile.vector * kLanes, scores);
    settleTiles(w, tile, vector, key, from);
  }
}
