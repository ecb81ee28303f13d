/**
 * One task from beginning to end. Keys are taken block by block, and within a block tile by tile of queries,
 * so that a block of keys and values is read from memory once per task and stays in the cache nearest to the
 * core meanwhile:
 *
 *   registers   kKeys x kQueryVectors sums of scores; kRows x kChannelVectors sums of products
 *   L1          scores of one tile and block (kQueryVectors x kBlock x kLanes), one tile's queries or a few
 *               channels of V
 *   L2          all queries of the task, the block of K and V, the unnormalised rows of the output
 */

/** Zeros for the rows that attend to nothing, results rounded to their storage, and what is known of every
 * row. */
static void finishRows(const Call& call, const Task& task, const Workspace& w) {
  const Plan& plan = call.plan;
  for (int lane = 0; lane < w.rows; ++lane) {
    const bool empty = w.range[lane].end <= w.range[lane].begin;
    w.inverse[lane] = inverseSum(w, lane);
    if (w.out[lane] != nullptr) {
      if (empty) memset(w.out[lane], 0, plan.valueDim * sizeof(float));
      if (plan.outType != kFloat32) {
        const RowOf of = rowOf(call, task, task.first + lane);
        const int64_t at = task.item * plan.oBatch + of.head * plan.oHead +
                           (call.items[task.item].queryFirst + of.row) * plan.oRow;
        narrow(plan.outType, w.out[lane], call.out.data, at, plan.valueDim);
      }
    }
    if (task.purpose != Purpose::kAttend || !call.wants(kLse)) continue;
    const int64_t at = lseAt(call, task, task.first + lane);
    call.lse.data[at] = lseOf(w, lane);
    if (call.references == nullptr) continue;
    call.references[at] = w.reference[lane];
    call.inverses[at] = w.inverse[lane];
  }
}

/** Softmax of all rows over all their keys, and with `output` the values it weighs. False where it was
 * stopped. */
static bool attendRows(const Call& call, const Task& task, const Workspace& w, bool output) {
  const Reach all = reachOfAll(w.vectorReach, w.vectors);
  for (int32_t first = all.begin - all.begin % Tile::kBlock; first < all.end; first += Tile::kBlock) {
    if (call.stopped()) return false;
    const Reach reached = within(all, first, first + Tile::kBlock);
    Block block;
    if (reached.begin == reached.end) continue;
    if (!openBlock(call, task, w, first, call.items[task.item].keyEnd, reached, output, &block)) continue;
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
      scoreBlock(w, tile, count, block);
      for (int i = tile; i < tile + count; ++i) {
        const Reach part = within(w.vectorReach[i], first, first + Tile::kBlock);
        if (part.begin == part.end) continue;
        float* scores = w.scores + (i - tile) * Tile::kBlock * kLanes;
        float* visible = w.visible + (i - tile) * (Tile::kBlock / kWordKeys) * kLanes;
        modifyScores(call, task, w, i, block, part, scores, visible);
        softmax(w, i, scores + (part.begin - first) * kLanes, part.end - part.begin);
      }
      if (output) productBlock(w, tile, count, call.plan.valueDim, block);
    }
  }
  return true;
}

/** Writes the matrices that a call shows of the rows at hand. */
static void showRows(const Call& call, const Task& task, const Workspace& w) {
  const Item& item = call.items[task.item];
  const Shown shown[] = {{call.weights.data, true, kMasked, 0.0f},
                         {call.scores.data, false, call.plan.scoresAt, -INFINITY}};
  for (const Shown& matrix : shown) {
    if (matrix.data == nullptr) continue;
    const bool unmasked = matrix.scoresAt != kMasked;
    if (unmasked) reachAllKeys(w, item.keyTotal);
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
      showTile(call, task, w, matrix, tile, count, unmasked ? item.keyTotal : item.keyEnd);
    }
  }
}

/** Sums of the weights that the keys of one block get from all shown rows of a head, in the order of the
 * rows. */
static void sumRows(const Call& call, const Task& task, int64_t mostRows, float sign, Workspace& w) {
  const Item& item = call.items[task.item];
  const int32_t first = static_cast<int32_t>(task.first * Tile::kBlock);
  const int64_t all = call.hasRows ? static_cast<int64_t>(call.rows.size()) : item.queryTotal;
  // Whole vectors at a time, so that a row's lane, and with it the order of the sum, is its own.
  const int64_t step = mostRows < kLanes ? mostRows : mostRows - mostRows % kLanes;
  fillKeys(w.sums, 0, Tile::kBlock, 0.0f);
  for (int64_t row = 0; row < all; row += step) {
    if (call.stopped()) return;
    describeRows(call, task, w, row, step < all - row ? step : all - row);
    const Reach reached = within(reachOfAll(w.vectorReach, w.vectors), first, first + Tile::kBlock);
    Block block;
    if (reached.begin == reached.end || !openBlock(call, task, w, first, item.keyEnd, reached, false, &block))
      continue;
    packQueries(call.plan.qType, w, sign);
    for (int lane = 0; lane < w.vectors * kLanes; ++lane) {
      const int64_t at = lseAt(call, task, row + smaller(lane, w.rows - 1));
      w.reference[lane] = call.references[at];
      w.inverse[lane] = lane < w.rows ? call.inverses[at] : 0.0f;
    }
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
      sumTile(call, task, w, tile, count, block);
    }
  }
  storeSums(call, task, w, first, smaller(item.keyTotal - first, Tile::kBlock));
}

static void run(const Call& call, const Task& task, int64_t mostRows, void* memory) {
  const Plan& plan = call.plan;
  constexpr float kLog2e = 1.44269504088896340736f;
  Arena arena{static_cast<char*>(memory), 0};
  Workspace w = layOut(arena, plan, mostRows);
  w.masked = call.keep.data != nullptr || call.drop.data != nullptr || call.bias.data != nullptr;
  w.modified = plan.softcap > 0 || call.bias.data != nullptr || call.alibi.data != nullptr;
  w.scale = static_cast<float>(fabs(plan.scale));
  float sign = plan.scale < 0 ? -1.0f : 1.0f;
  if (w.scale == 0.0f) {  // all scores are 0, but a masked one must stay -inf
    w.scale = 1.0f;
    sign = 0.0f;
  }
  w.unit = w.modified ? kLog2e
                      : static_cast<float>(fabs(plan.scale == 0 ? 1.0 : plan.scale) * 1.44269504088896340736);

  if (task.purpose == Purpose::kSum) return sumRows(call, task, mostRows, sign, w);
  describeRows(call, task, w, task.first, task.count);
  packQueries(plan.qType, w, sign);
  if (!attendRows(call, task, w, task.purpose == Purpose::kAttend && call.wants(kOutput))) return;
  finishRows(call, task, w);
  if ((task.purpose == Purpose::kShow) == call.hasRows) showRows(call, task, w);
}
