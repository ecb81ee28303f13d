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

/** Whether a vector of channels from `channel` on begins a line of memory, in rows that do. */
template <int64_t kType>
SELFSAME_INLINE bool beginsLine(int64_t channel) {
  constexpr int64_t kLine = 64 / bytesOf(kType);
  return kLine <= kLanes || channel % kLine == 0;
}

/** One vector of channels, or the last `tail` of them, of all products of kRows queries and kDots / kRows
 * keys. */
template <int64_t kType, int kRows, bool kTail, bool kFetch>
SELFSAME_INLINE void addChannels(const float* queries, int64_t headDim, const void* const* keys,
                                 const KeysAhead<Tile::kDots / kRows>& ahead, int64_t channel, int tail,
                                 V::Reg (&sum)[Tile::kDots]) {
  V::Reg query[kRows];
  if (kFetch && beginsLine<kType>(channel)) {
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
    // What is read behind a row as it is stored meets a query's 0.
    const V::Reg key = kTail && kType == kFloat32 ? loadTailAs<kType>(keys[t], channel, tail)
                                                  : loadAs<kType>(keys[t], channel);
    SELFSAME_UNROLL
    for (int r = 0; r < kRows; ++r) sum[t * kRows + r] = V::fma(key, query[r], sum[t * kRows + r]);
  }
}

/** Scores of kDots / kRows keys and kRows queries, written as [key][row] with `period` numbers for a key. */
template <int64_t kType, int kRows, bool kFetch>
SELFSAME_NOINLINE void dotTile(const float* SELFSAME_RESTRICT queries, int64_t headDim,
                               const void* const* keys, const KeysAhead<Tile::kDots / kRows>& ahead,
                               float* SELFSAME_RESTRICT scores, int period) {
  V::Reg sum[Tile::kDots];
  SELFSAME_UNROLL
  for (int i = 0; i < Tile::kDots; ++i) sum[i] = V::zero();
  int64_t c = 0;
  for (; c + kLanes <= headDim; c += kLanes)
    addChannels<kType, kRows, false, kFetch>(queries, headDim, keys, ahead, c, 0, sum);
  const int tail = static_cast<int>(headDim - c);
  if (tail > 0) addChannels<kType, kRows, true, kFetch>(queries, headDim, keys, ahead, c, tail, sum);
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
template <int64_t kType, int kRows>
static void dotRows(const Workspace& w, int vector, int row, const Block& block, const Reach& part,
                    const Ahead& ahead) {
  constexpr int32_t kKeys = Tile::kDots / kRows;
  const float* queries = w.queries + row * w.headDim;
  float* scores = scoresOf(w, row / kLanes - vector) + row % kLanes;
  const void* rows = kType == kFloat32 ? block.keys : block.storedKeys.rows;
  const int32_t from = part.begin - block.first, last = part.end - block.first - 1;
  for (int32_t key = from - from % kKeys; key <= last; key += kKeys) {
    const void* keys[kKeys];
    for (int t = 0; t < kKeys; ++t)
      keys[t] = elementOf(kType, rows, clampTo(key + t, from, last) * block.keyRow);
    if (ahead.count > 0) {
      dotTile<kType, kRows, true>(queries, w.headDim, keys, keysAhead<kKeys>(ahead, key),
                                  scores + key * w.period, w.period);
    } else if constexpr (kType == kFloat32) {
      dotTile<kType, kRows, false>(queries, w.headDim, keys, {}, scores + key * w.period, w.period);
    } else {
      // Asking once more for what is at hand is cheaper than a second tile is large.
      KeysAhead<kKeys> own;
      own.channel = bytesOf(kType);
      for (int t = 0; t < kKeys; ++t) own.rows[t] = static_cast<const char*>(keys[t]);
      dotTile<kType, kRows, true>(queries, w.headDim, keys, own, scores + key * w.period, w.period);
    }
  }
}

/** The same for keys of any storage. */
template <int kRows>
static void dotStoredRows(const Workspace& w, int vector, int row, const Block& block, const Reach& part,
                          const Ahead& ahead) {
  if constexpr (kReadsStored) {
    const int64_t type = block.storedKeys.type;
    if (type == kInt8) return dotRows<kInt8, kRows>(w, vector, row, block, part, ahead);
    if (type == kFloat16) return dotRows<kFloat16, kRows>(w, vector, row, block, part, ahead);
  }
  dotRows<kFloat32, kRows>(w, vector, row, block, part, ahead);
}

/** Multiplies scores, or weights, of the keys in `part` by the scales of these. */
static void scaleKeys(const Workspace& w, int count, const Reach& part, int32_t first, const float* scales) {
  const int32_t from = (part.begin - first) * w.period, to = (part.end - first) * w.period;
  for (int i = 0; i < count; ++i) {
    float* scores = scoresOf(w, i);
    for (int32_t at = from - from % kLanes; at < to; at += kLanes)
      V::store(scores + at, V::mul(V::load(scores + at), V::load(scales + at)));
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
      dotStoredRows<4>(w, vector, row, block, part, ahead);
    } else if (rows == 2) {
      dotStoredRows<2>(w, vector, row, block, part, ahead);
    } else {
      dotStoredRows<1>(w, vector, row, block, part, ahead);
    }
    ahead = {};
  }
  if (block.storedKeys.scales != nullptr) scaleKeys(w, count, part, block.first, block.storedKeys.scales);
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
