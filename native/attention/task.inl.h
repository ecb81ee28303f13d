/**
 * One task from beginning to end. Keys are taken block by block, and within a block tile by tile of queries,
 * so that a block of keys and values is read from memory once per task and stays in the cache nearest to the
 * core meanwhile:
 *
 *   registers   kKeys x kQueryVectors sums of scores; kRows x kChannelVectors sums of products
 *   L1          scores of one tile and block (kQueryVectors x kBlock x kLanes), one tile's queries or a few
 * channels of V L2          all queries of the task, the block of K and V, the unnormalised rows of the
 * output
 */

/** Points every lane at its row and finds its keys. Rows that attend to nothing reach no key. */
static void describeRows(const Call& call, const Task& task, const Workspace& w) {
  const Plan& plan = call.plan;
  const Item& item = call.items[task.item];
  const int64_t group = call.group();
  int64_t slot = task.first / group, member = task.first % group;
  for (int lane = 0; lane < w.vectors * kLanes; ++lane) {
    const int64_t row = task.selected ? call.rows[slot] : slot;
    const int64_t head = task.kvHead * group + member;
    const int64_t token = item.queryFirst + row;
    const bool writes = call.out.data != nullptr && lane < w.rows;
    w.query[lane] = call.q.data + task.item * plan.qBatch + head * plan.qHead + token * plan.qRow;
    w.out[lane] =
        writes ? call.out.data + task.item * plan.oBatch + head * plan.oHead + token * plan.oRow : nullptr;
    w.range[lane] = row < item.queryRows ? rowRange(plan, item, row) : kNoKeys;
    if (lane + 1 < w.rows && ++member == group) {
      member = 0;
      ++slot;
    }
  }
  constexpr int kGroups = kLanes / Tile::kRows;
  for (int i = 0; i < w.vectors; ++i) {
    Reach* groups = w.groupReach + i * kGroups;
    for (int g = 0; g < kGroups; ++g) groups[g] = reachOfRows(w.range + i * kLanes + g * Tile::kRows);
    w.vectorReach[i] = reachOfAll(groups, kGroups);
    V::store(w.reference + i * kLanes, V::zero());
    V::store(w.threshold + i * kLanes, V::all(-INFINITY));
    V::store(w.sum + i * kLanes, V::zero());
  }
}

/** Zeros for the rows that attend to nothing, and the log of the sum of every row. */
static void finishRows(const Call& call, const Task& task, const Workspace& w, bool output, bool lse) {
  const Plan& plan = call.plan;
  const int64_t group = call.group();
  for (int lane = 0; lane < w.rows; ++lane) {
    const bool empty = w.range[lane].end <= w.range[lane].begin;
    if (output && empty) memset(w.out[lane], 0, plan.valueDim * sizeof(float));
    if (!lse) continue;
    const int64_t stacked = task.first + lane;
    const int64_t head = task.kvHead * group + stacked % group;
    const int64_t token = call.items[task.item].queryFirst + stacked / group;
    const double log2Sum = w.sum[lane] == 0.0f ? -INFINITY : log2(static_cast<double>(w.sum[lane]));
    call.lse.data[task.item * plan.lseBatch + head * plan.lseHead + token * plan.lseRow] =
        static_cast<float>((w.reference[lane] + log2Sum) * 0.69314718055994530942);
  }
}

static void run(const Call& call, const Task& task, void* memory) {
  const Plan& plan = call.plan;
  const Item& item = call.items[task.item];
  const bool output = !task.selected && (plan.outputs & kOutput) != 0;
  const bool lse = !task.selected && (plan.outputs & kLse) != 0;
  const bool weights = (plan.outputs & kWeights) != 0 && task.selected == call.hasRows;

  Arena arena{static_cast<char*>(memory), 0};
  Workspace w = layOut(arena, plan.headDim, task.count);
  w.unit = static_cast<float>(fabs(plan.scale) * 1.44269504088896340736);
  float sign = plan.scale < 0 ? -1.0f : 1.0f;
  if (w.unit == 0.0f) {  // all scores are 0, but a masked one must stay -inf
    w.unit = 1.0f;
    sign = 0.0f;
  }
  describeRows(call, task, w);
  packQueries(w, sign);

  const Keys keys{
      call.k.data + task.item * plan.kBatch + task.kvHead * plan.kHead + item.keyFirst * plan.kRow, plan.kRow,
      item.keyEnd};
  const Values values{
      call.v.data + task.item * plan.vBatch + task.kvHead * plan.vHead + item.keyFirst * plan.vRow, plan.vRow,
      plan.valueDim};
  const Reach all = reachOfAll(w.vectorReach, w.vectors);
  for (int32_t block = all.begin - all.begin % Tile::kBlock; block < all.end; block += Tile::kBlock) {
    if (call.stopped()) return;
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
      scoreBlock(w, tile, count, keys, block);
      for (int i = tile; i < tile + count; ++i) {
        const Reach part = within(w.vectorReach[i], block, block + Tile::kBlock);
        if (part.begin == part.end) continue;
        float* scores = w.scores + (i - tile) * Tile::kBlock * kLanes;
        modifyScores(w, i, scores, block, part);
        const int lane = i * kLanes;
        softmax(scores + (part.begin - block) * kLanes, part.end - part.begin, w.unit, w.reference + lane,
                w.threshold + lane, w.sum + lane, w.factor + lane);
      }
      if (output) productBlock(w, tile, count, values, block);
    }
  }
  finishRows(call, task, w, output, lse);
  if (!weights) return;
  for (int tile = 0, count; tile < w.vectors; tile += count) {
    count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
    weightTile(call, task, w, keys, tile, count);
  }
}
