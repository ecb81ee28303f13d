/**
 * Scores of few query rows: lanes are channels, a key and a query are read as they lie, and sums over the
 * lanes come last, kLanes of them at once. A key costs as much as the rows it is for, not a whole vector of
 * them.
 */

static_assert(Tile::kDots % kLanes == 0 && Tile::kDots + 4 + 1 <= V::kRegs,
              "a tile of dot products lives in registers");

/** Queries of the few rows as they are, times w.scale; the last one again where that makes a tile. */
template <int64_t kType>
static void packFewQueriesOf(const Workspace& w) {
  const V::Reg factor = V::all(w.scale);
  const int rows = smaller((w.rows + 1) / 2 * 2, w.vectors * kLanes);
  const int tail = static_cast<int>(w.headDim % kLanes);
  for (int i = 0; i < rows; ++i) {
    const void* query = w.query[i];
    float* packed = w.queries + i * w.headDim;
    const int64_t whole = w.headDim - tail;
    for (int64_t c = 0; c < whole; c += kLanes) V::store(packed + c, V::mul(loadAs<kType>(query, c), factor));
    if (tail != 0) V::storeTail(packed + whole, V::mul(loadTailAs<kType>(query, whole, tail), factor), tail);
  }
}

static void packFewQueries(int64_t type, const Workspace& w) {
  SELFSAME_PHASE(kPack);
  if (type == kFloat16) return packFewQueriesOf<kFloat16>(w);
  if (type == kBfloat16) return packFewQueriesOf<kBfloat16>(w);
  packFewQueriesOf<kFloat32>(w);
}

/** One vector of channels, or the last `tail` of them, of all products of kRows queries and kDots / kRows
 * keys. */
template <int kRows, bool kTail, bool kFetch>
SELFSAME_INLINE void addChannels(const float* queries, int64_t headDim, const float* const* keys,
                                 const KeysAhead<Tile::kDots / kRows>& ahead, int64_t channel, int tail,
                                 V::Reg (&sum)[Tile::kDots]) {
  V::Reg query[kRows];
  if (kFetch) {
    SELFSAME_UNROLL
    for (int t = 0; t < Tile::kDots / kRows; ++t) V::prefetch(ahead.rows[t] + channel * ahead.channel);
  }
  SELFSAME_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const float* at = queries + r * headDim + channel;
    query[r] = kTail ? V::loadTail(at, tail) : V::load(at);
  }
  SELFSAME_UNROLL
  for (int t = 0; t < Tile::kDots / kRows; ++t) {
    const V::Reg key = kTail ? V::loadTail(keys[t] + channel, tail) : V::load(keys[t] + channel);
    SELFSAME_UNROLL
    for (int r = 0; r < kRows; ++r) sum[t * kRows + r] = V::fma(key, query[r], sum[t * kRows + r]);
  }
}

/** Scores of kDots / kRows keys and kRows queries, written as [key][row] with `period` numbers for a key. */
template <int kRows, bool kFetch>
SELFSAME_NOINLINE void dotTile(const float* SELFSAME_RESTRICT queries, int64_t headDim,
                               const float* const* keys, const KeysAhead<Tile::kDots / kRows>& ahead,
                               float* SELFSAME_RESTRICT scores, int period) {
  V::Reg sum[Tile::kDots];
  SELFSAME_UNROLL
  for (int i = 0; i < Tile::kDots; ++i) sum[i] = V::zero();
  int64_t c = 0;
  for (; c + kLanes <= headDim; c += kLanes)
    addChannels<kRows, false, kFetch>(queries, headDim, keys, ahead, c, 0, sum);
  const int tail = static_cast<int>(headDim - c);
  if (tail > 0) addChannels<kRows, true, kFetch>(queries, headDim, keys, ahead, c, tail, sum);
  float dots[Tile::kDots];
  float* to = period == kRows ? scores : dots;
  SELFSAME_UNROLL
  for (int i = 0; i < Tile::kDots; i += kLanes) {
    V::Reg part[kLanes];
    SELFSAME_UNROLL
    for (int t = 0; t < kLanes; ++t) part[t] = sum[i + t];
    V::store(to + i, V::addAcross(part));
  }
  if (period == kRows) return;
  for (int t = 0; t < Tile::kDots / kRows; ++t)
    memcpy(scores + t * period, dots + t * kRows, kRows * sizeof(float));
}

/** Scores of kRows rows from `row` on and all keys of the block's part. A tile that overhangs the part reads
 * its first or last key again. */
template <int kRows>
static void dotRows(const Workspace& w, int vector, int row, const Block& block, const Reach& part,
                    const Ahead& ahead) {
  constexpr int32_t kKeys = Tile::kDots / kRows;
  const float* queries = w.queries + row * w.headDim;
  float* scores = scoresOf(w, row / kLanes - vector) + row % kLanes;
  const int32_t from = part.begin - block.first, last = part.end - block.first - 1;
  for (int32_t key = from - from % kKeys; key <= last; key += kKeys) {
    const float* keys[kKeys];
    for (int t = 0; t < kKeys; ++t) keys[t] = block.keys + clampTo(key + t, from, last) * block.keyRow;
    if (ahead.count > 0) {
      dotTile<kRows, true>(queries, w.headDim, keys, keysAhead<kKeys>(ahead, key), scores + key * w.period,
                           w.period);
    } else {
      dotTile<kRows, false>(queries, w.headDim, keys, {}, scores + key * w.period, w.period);
    }
  }
}

/** Scores of the block for the vectors [vector, vector + count), written to w.scores, while the next block's
 * keys are fetched. */
static void dotBlock(const Workspace& w, int vector, int count, const Block& block) {
  SELFSAME_PHASE(kScore);
  const Reach part = reachOfBlock(w, vector, count, block);
  if (part.begin == part.end) return;
  Ahead ahead = block.nextKeys;
  const int end = smaller((vector + count) * kLanes, w.rows);
  for (int row = vector * kLanes, rows; row < end; row += rows) {
    const int left = end - row;
    // A tile lies in one vector.
    rows = smaller(left >= 3 ? 4 : left, kLanes);
    if (rows == 4) {
      dotRows<4>(w, vector, row, block, part, ahead);
    } else if (rows == 2) {
      dotRows<2>(w, vector, row, block, part, ahead);
    } else {
      dotRows<1>(w, vector, row, block, part, ahead);
    }
    ahead = {};
  }
}

/** Keys [from, to) of the block that a row does not see get score -inf, in the layout of few rows. */
static void hidePacked(const Workspace& w, int32_t from, int32_t to, const float* visible) {
  for (int32_t word = from - from % kWordKeys; word < to; word += kWordKeys) {
    for (int row = 0; row < w.rows; ++row) {
      uint32_t hidden;
      memcpy(&hidden, visible + word / kWordKeys * kLanes + row, sizeof(hidden));
      hidden = ~hidden & lowBits(to - word) & ~lowBits(from - word);
      for (int i = 0; hidden >> i != 0; ++i) {
        if ((hidden >> i & 1u) != 0) w.scores[(word + i) * w.period + row] = -INFINITY;
        if (i == kWordKeys - 1) break;
      }
    }
  }
}

/** Softmax of the block where several keys lie in one vector. */
static void weighPacked(const Call& call, const Task& task, const Workspace& w, const Block& block) {
  const Reach part = within(w.vectorReach[0], block.first, block.end);
  if (part.begin == part.end) return;
  const int32_t keys = kLanes / w.period;
  const int32_t begin = part.begin - block.first, end = part.end - block.first;
  const int32_t from = begin - begin % keys, to = (end + keys - 1) / keys * keys;
  if (from != begin || to != end || hides(w, block, part)) {
    findVisible(call, task, w, 0, block, part, w.visible);
    hidePacked(w, from, to, w.visible);
  }
  softmaxBlock<false>(w, 0, w.scores + from * w.period, (to - from) / keys, w.period);
}
