/** What is shown of a call: weights, scores and sums of weights, from a second look at the scores. */

/** Turns [key][lane] into rows of keys: `count` keys (a multiple of kLanes; the last may be cut at `limit`).
 */
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

/** Fills keys [from, to) of a block's scores. */
static void fillKeys(float* scores, int32_t from, int32_t to, float value) {
  for (int32_t key = from; key < to; ++key) V::store(scores + key * kLanes, V::all(value));
}

/** One of the matrices [head][row][key] that a call shows. */
struct Shown {
  float* data;
  bool weights;
  int64_t scoresAt;
  /** What a key that a row does not see has. */
  float nothing;
};

/** Where each lane's row of a matrix lies; null for the lanes that only fill the last vector up. */
static void shownRows(const Call& call, const Task& task, const Workspace& w, float* data, int vector,
                      float** rows) {
  const Plan& plan = call.plan;
  for (int i = 0; i < kLanes; ++i) {
    const int lane = vector * kLanes + i;
    rows[i] = nullptr;
    if (lane >= w.rows) continue;
    const int64_t stacked = task.first + lane, slot = stacked / task.group;
    const int64_t row = call.hasRows ? slot : call.items[task.item].queryFirst + slot;
    rows[i] = data + task.item * plan.weightsBatch + (task.head + stacked % task.group) * plan.weightsHead +
              row * plan.weightsRow;
  }
}

/** Products of one block and vector become what is shown of them. */
static void showScores(const Call& call, const Task& task, const Workspace& w, const Shown& shown, int vector,
                       const Block& block, const Reach& part, float* scores, float* visible) {
  const int32_t from = part.begin - block.first, count = part.end - part.begin;
  float* first = scores + from * kLanes;
  if (!shown.weights && shown.scoresAt != kMasked) {
    if (shown.scoresAt == kCapped && call.plan.softcap > 0) {
      return capScores(first, count, static_cast<float>(call.plan.softcap));
    }
    return;
  }
  modifyScores(call, task, w, vector, block, part, scores, visible);
  if (shown.weights) normalise(w, vector, first, count);
}

/** Writes a matrix's rows of the vectors [vector, vector + count); reference and inverse must be final. */
static void showTile(const Call& call, const Task& task, const Workspace& w, const Shown& shown, int vector,
                     int count, int32_t end) {
  const int64_t columns = call.plan.keys, keyFirst = call.items[task.item].keyFirst;
  float* rows[Tile::kQueryVectors][kLanes];
  for (int i = 0; i < count; ++i) {
    shownRows(call, task, w, shown.data, vector + i, rows[i]);
    for (float* row : rows[i]) {
      for (int64_t column = 0; row != nullptr && column < columns; ++column) row[column] = shown.nothing;
    }
  }
  const Reach all = reachOfAll(w.vectorReach + vector, count);
  for (int32_t first = all.begin - all.begin % Tile::kBlock; first < all.end; first += Tile::kBlock) {
    if (call.stopped()) return;
    const Reach reached = within(all, first, first + Tile::kBlock);
    Block block;
    if (reached.begin == reached.end || !openBlock(call, task, w, first, end, reached, false, &block))
      continue;
    block.opens = false;
    scoreBlock(w, vector, count, block);
    for (int i = 0; i < count; ++i) {
      const Reach part = within(w.vectorReach[vector + i], first, first + Tile::kBlock);
      if (part.begin == part.end) continue;
      float* scores = scoresOf(w, i);
      showScores(call, task, w, shown, vector + i, block, part, scores, visibleOf(w, i));
      // Whole chunks of lanes are turned at once: nothing before the first key, and after the last.
      const int32_t from = (part.begin - first) / kLanes * kLanes;
      const int32_t to = (part.end - first + kLanes - 1) / kLanes * kLanes;
      fillKeys(scores, from, part.begin - first, shown.nothing);
      fillKeys(scores, part.end - first, to, shown.nothing);
      storeTransposed(scores + from * kLanes, to - from, columns, rows[i], keyFirst + first + from);
    }
  }
}

/** Adds the weights of the vectors at hand, for the keys of one block, to sums of [key][lane]. */
static void sumTile(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                    const Block& block) {
  scoreBlock(w, vector, count, block);
  for (int i = 0; i < count; ++i) {
    const Reach part = within(w.vectorReach[vector + i], block.first, block.end);
    if (part.begin == part.end) continue;
    float* scores = scoresOf(w, i);
    modifyScores(call, task, w, vector + i, block, part, scores, visibleOf(w, i));
    const int32_t from = part.begin - block.first, count = part.end - part.begin;
    normalise(w, vector + i, scores + from * kLanes, count);
    for (int32_t key = from; key < from + count; ++key) {
      float* sum = w.sums + key * kLanes;
      V::store(sum, V::add(V::load(sum), V::load(scores + key * kLanes)));
    }
  }
}

/** The sums over a vector's lanes, from the first to the last, go out. */
static void storeSums(const Call& call, const Task& task, const Workspace& w, int32_t first, int32_t count) {
  const Plan& plan = call.plan;
  float* mass = call.mass.data + task.item * plan.massBatch + task.head * plan.massHead +
                call.items[task.item].keyFirst + first;
  for (int32_t key = 0; key < count; ++key) {
    float sum = 0.0f;
    for (int i = 0; i < kLanes; ++i) sum += w.sums[key * kLanes + i];
    mass[key] = sum;
  }
}
