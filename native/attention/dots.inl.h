/**
 * Scores of few query rows: lanes are channels, a key and a query are read as they lie, and sums over the
 * lanes come last, kLanes of them at once. A key costs as much as the rows it is for, not a whole vector of
 * them.
 */

static_assert(Tile::kDots % kLanes == 0 && Tile::kDots + Tile::kDots / 4 + 1 <= V::kRegs,
              "a tile of dot products lives in registers");

/** Whether the vector is the one whose scores are made so. */
static bool hasFewRows(const Workspace& w, int vector) { return vector >= w.wide; }
static int fewRows(const Workspace& w) { return w.rows - w.wide * kLanes; }
static float* fewQueries(const Workspace& w) { return w.queries + w.wide * kLanes * w.headDim; }

/** Queries of the few rows as they are, times w.scale; the last one again where that makes a tile. */
template <int64_t kType>
static void packFewQueriesOf(const Workspace& w) {
  const V::Reg factor = V::all(w.scale);
  const int rows = smaller((fewRows(w) + 1) / 2 * 2, kLanes);
  const int tail = static_cast<int>(w.headDim % kLanes);
  for (int i = 0; i < rows; ++i) {
    const void* query = w.query[w.wide * kLanes + i];
    float* packed = fewQueries(w) + i * w.headDim;
    const int64_t whole = w.headDim - tail;
    for (int64_t c = 0; c < whole; c += kLanes) V::store(packed + c, V::mul(loadAs<kType>(query, c), factor));
    if (tail != 0)
      V::storeTail(packed + whole, V::mul(loadTailAs<kType>(query, whole, tail), factor), tail);
  }
}

static void packFewQueries(int64_t type, const Workspace& w) {
  SELFSAME_PHASE(kPack);
  if (type == kFloat16) return packFewQueriesOf<kFloat16>(w);
  if (type == kBfloat16) return packFewQueriesOf<kBfloat16>(w);
  packFewQueriesOf<kFloat32>(w);
}

/** The keys that are fetched while a tile is worked on. */
struct KeysAhead {
  const char* rows[Tile::kDots];
  int64_t channel;
};

/** One vector of channels, or the last `tail` of them, of all products of kRows queries and kDots / kRows
 * keys. */
template <int kRows, bool kTail, bool kFetch>
SELFSAME_INLINE void addChannels(const float* queries, int64_t headDim, const float* const* keys,
                                 const KeysAhead& ahead, int64_t channel, int tail, V::Reg (&sum)[Tile::kDots]) {
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
                               const float* const* keys, const KeysAhead& ahead, float* SELFSAME_RESTRICT scores, int period) {
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
static void dotRows(const Workspace& w, int row, const Block& block, const Reach& part, const Ahead& ahead) {
  constexpr int32_t kKeys = Tile::kDots / kRows;
  const float* queries = fewQueries(w) + row * w.headDim;
  const int32_t from = part.begin - block.first, last = part.end - block.first - 1;
  for (int32_t key = from - from % kKeys; key <= last; key += kKeys) {
    const float* keys[kKeys];
    for (int t = 0; t < kKeys; ++t) keys[t] = block.keys + clampTo(key + t, from, last) * block.keyRow;
    float* scores = w.scores + key * w.period + row;
    if (ahead.count > 0) {
      KeysAhead next;
      next.channel = ahead.channel;
      for (int t = 0; t < kKeys; ++t) next.rows[t] = ahead.row(key + t);
      dotTile<kRows, true>(queries, w.headDim, keys, next, scores, w.period);
    } else {
      dotTile<kRows, false>(queries, w.headDim, keys, {}, scores, w.period);
    }
  }
}

/** Scores of the block for the vector of few rows, written to w.scores. */
static void dotBlock(const Workspace& w, int vector, const Block& block) {
  SELFSAME_PHASE(kScore);
  const Reach part = within(w.vectorReach[vector], block.first, block.end);
  if (part.begin == part.end) return;
  Ahead ahead = block.nextKeys;
  for (int row = 0, rows; row < fewRows(w); row += rows) {
    const int left = fewRows(w) - row;
    rows = left >= 3 ? 4 : left;
    if (rows == 4) {
      dotRows<4>(w, row, block, part, ahead);
    } else if (rows == 2) {
      dotRows<2>(w, row, block, part, ahead);
    } else {
      dotRows<1>(w, row, block, part, ahead);
    }
    ahead = {};
  }
}

/** Keys [from, to) of the block that a row does not see get score -inf, in the layout of few rows. */
static void hidePacked(const Workspace& w, int32_t from, int32_t to, const float* visible) {
  for (int32_t word = from - from % kWordKeys; word < to; word += kWordKeys) {
    for (int row = 0; row < fewRows(w); ++row) {
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

/** Softmax of the block for the vector of few rows, where several keys lie in one vector. */
static void weighPacked(const Call& call, const Task& task, const Workspace& w, int vector,
                        const Block& block) {
  const Reach part = within(w.vectorReach[vector], block.first, block.end);
  if (part.begin == part.end) return;
  const int32_t keys = kLanes / w.period;
  const int32_t begin = part.begin - block.first, end = part.end - block.first;
  const int32_t from = begin - begin % keys, to = (end + keys - 1) / keys * keys;
  if (from != begin || to != end || hides(w, block, part)) {
    findVisible(call, task, w, vector, block, part, w.visible);
    hidePacked(w, from, to, w.visible);
  }
  softmaxBlock<false>(w, vector, w.scores + from * w.period, (to - from) / keys, w.period);
}
