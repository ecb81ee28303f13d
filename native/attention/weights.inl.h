/** Normalised weights written out: a second look at the scores, once reference and sum are final. */

/** Zeros around the keys [begin, end) of a row of `keys` columns. */
static void clearAround(float* row, int64_t begin, int64_t end, int64_t keys) {
  memset(row, 0, begin * sizeof(float));
  if (end < keys) memset(row + end, 0, (keys - end) * sizeof(float));
}

/**
 * Scores of `count` keys of one vector to weights that sum to 1. A weight of exactly 0 stays 0 whatever the
 * sum is: masked keys have it, also in a row that is NaN.
 */
SELFSAME_NOINLINE void normalise(float* scores, int32_t count, float unit, const float* reference,
                                 const float* inverse) {
  const V::Reg scale = V::all(unit), origin = V::sub(V::zero(), V::load(reference)), whole = V::load(inverse);
  for (int32_t key = 0; key < count; ++key) {
    const V::Reg weight = powerOf2(V::fma(V::load(scores + key * kLanes), scale, origin));
    V::store(scores + key * kLanes, V::select(V::equal(weight, V::zero()), V::zero(), V::mul(weight, whole)));
  }
}

/** Turns [key][lane] into rows of keys: `count` keys (a multiple of kLanes; the last ones may be cut at
 * `limit`). */
SELFSAME_NOINLINE void storeTransposed(const float* scores, int32_t count, int64_t limit, float* const* rows,
                                       int64_t column) {
  for (int32_t key = 0; key < count; key += kLanes) {
    V::Reg tile[kLanes];
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) tile[i] = V::load(scores + (key + i) * kLanes);
    V::transpose(tile);
    const int64_t room = limit - (column + key);
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      if (rows[i] == nullptr) continue;
      if (room >= kLanes) {
        V::store(rows[i] + column + key, tile[i]);
      } else {
        V::storeTail(rows[i] + column + key, tile[i], static_cast<int>(room));
      }
    }
  }
}

/** Where each lane's row of weights lies; null for the lanes that only fill the last vector up. */
static void weightRows(const Call& call, const Task& task, const Workspace& w, int vector, float** rows) {
  const Plan& plan = call.plan;
  const int64_t group = call.group();
  for (int i = 0; i < kLanes; ++i) {
    const int lane = vector * kLanes + i;
    if (lane >= w.rows) {
      rows[i] = nullptr;
      continue;
    }
    const int64_t stacked = task.first + lane;
    const int64_t slot = stacked / group + (task.selected ? 0 : call.items[task.item].queryFirst);
    const int64_t head = task.kvHead * group + stacked % group;
    rows[i] =
        call.weights.data + task.item * plan.weightsBatch + head * plan.weightsHead + slot * plan.weightsRow;
  }
}

/** Writes the weights of the vectors [vector, vector + count); reference and sum must be final. */
static void weightTile(const Call& call, const Task& task, const Workspace& w, const Keys& keys, int vector,
                       int count) {
  const int64_t columns = call.plan.keys, keyFirst = call.items[task.item].keyFirst;
  for (int i = vector; i < vector + count; ++i) {
    const Reach& reach = w.vectorReach[i];
    float* rows[kLanes];
    weightRows(call, task, w, i, rows);
    const bool none = reach.end <= reach.begin;
    const int64_t begin = none ? columns : keyFirst + reach.begin - reach.begin % kLanes;
    for (float* row : rows) {
      if (row != nullptr) clearAround(row, begin, none ? columns : keyFirst + reach.end, columns);
    }
  }
  const Reach all = reachOfAll(w.vectorReach + vector, count);
  for (int32_t block = all.begin - all.begin % Tile::kBlock; block < all.end; block += Tile::kBlock) {
    if (call.stopped()) return;
    scoreBlock(w, vector, count, keys, block);
    for (int i = vector; i < vector + count; ++i) {
      const Reach part = within(w.vectorReach[i], block, block + Tile::kBlock);
      if (part.begin == part.end) continue;
      float* scores = w.scores + (i - vector) * Tile::kBlock * kLanes;
      modifyScores(w, i, scores, block, part);
      float inverse[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) inverse[lane] = inverseSum(w.sum[i * kLanes + lane]);
      normalise(scores + (part.begin - block) * kLanes, part.end - part.begin, w.unit,
                w.reference + i * kLanes, inverse);
      // Whole chunks of lanes are turned at once: zeros before the first key, and after the last.
      const int32_t from = (part.begin - block) / kLanes * kLanes;
      const int32_t to = (part.end - block + kLanes - 1) / kLanes * kLanes;
      memset(scores + from * kLanes, 0, (part.begin - block - from) * kLanes * sizeof(float));
      memset(scores + (part.end - block) * kLanes, 0, (to - (part.end - block)) * kLanes * sizeof(float));
      float* rows[kLanes];
      weightRows(call, task, w, i, rows);
      storeTransposed(scores + from * kLanes, to - from, columns, rows, keyFirst + block + from);
    }
  }
}
