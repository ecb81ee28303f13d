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
    const int64_t at = lseAt(call, task, task.first + lane);
    if (task.purpose == Purpose::kAttend) {
      if (call.wants(kLse)) call.lse.data[at] = lseOf(w, lane);
    } else if (call.references != nullptr) {
      call.references[at] = w.reference[lane];
      call.inverses[at] = w.inverse[lane];
    }
  }
}

/** Weights of the block for the vectors [vector, vector + count), with all that options do to their scores.
 */
static void softmaxTile(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                        const Block& block) {
  scoreBlock(w, vector, count, block);
  SELFSAME_PHASE(kSoftmax);
  for (int i = 0; i < count; ++i) {
    const Reach part = within(w.vectorReach[vector + i], block.first, block.first + Tile::kBlock);
    if (part.begin == part.end) continue;
    modifyScores(call, task, w, vector + i, block, part, scoresOf(w, i), visibleOf(w, i));
    softmaxBlock(w, vector + i, scoresOf(w, i) + (part.begin - block.first) * kLanes, part.end - part.begin);
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
      if (w.natural) {
        softmaxTile(call, task, w, tile, count, block);
      } else {
        weighBlock(call, task, w, tile, count, block);
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
static void sumRows(const Call& call, const Task& task, int64_t mostRows, Workspace& w) {
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
    packQueries(call.plan.qType, w);
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
  Arena arena{static_cast<char*>(memory), 0};
  Workspace w = layOut(arena, plan, mostRows);
  w.masked = call.keep.data != nullptr || call.drop.data != nullptr || call.bias.data != nullptr;
  const bool modified = plan.softcap > 0 || call.bias.data != nullptr || call.alibi.data != nullptr;
  w.natural = modified || task.purpose != Purpose::kAttend;
  w.scale = static_cast<float>(w.natural ? plan.scale : plan.scale * 1.44269504088896340736);
  if (task.purpose == Purpose::kSum) return sumRows(call, task, mostRows, w);
  describeRows(call, task, w, task.first, task.count);
  packQueries(plan.qType, w);
  if (!attendRows(call, task, w, task.purpose == Purpose::kAttend && call.wants(kOutput))) return;
  finishRows(call, task, w);
  if (task.purpose == Purpose::kShow) showRows(call, task, w);
}
