/**
 * One task from beginning to end. Keys are taken block by block, and within a block tile by tile of queries,
 * so that a block of keys and values is read from memory once per task and stays in the cache nearest to the
 * core meanwhile:
 *
 *   registers   kKeys x kQueryVectors sums of scores; kChannels x kQueryVectors sums of products
 *   L1          scores of one tile and block (kQueryVectors x kBlock x kLanes), one tile's queries or a few
 *               channels of V
 *   L2          all queries of the task, the block of K and V, the outputs that are not normalised yet
 */

/** Writes the matrices that a call shows of the rows at hand. */
static void showRows(const Call& call, const Task& task, const Workspace& w) {
  const Item& item = call.items[task.item];
  const Shown shown[] = {{call.weights.data, true, kMasked, 0.0f},
                         {call.scores.data, false, call.plan.scoresAt, -INFINITY}};
  packQueries(call.plan.qType, w, 0, w.vectors);
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
    packQueries(call.plan.qType, w, 0, w.vectors);
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

static size_t workspaceBytes(const Plan& plan, int64_t rows) {
  Arena arena{nullptr, 0};
  const Workspace w = layOut(arena, plan, rows);
  if ((plan.features & Tile::kPrecisions) != 0) layOutPacked(arena, plan, w);
  return arena.used;
}

/** Rows that chunks of keys take together, of `left`: few of them, or whole vectors and few later, or all. */
static int64_t rowsTogether(int64_t left) {
  const int64_t loose = left % kLanes;
  return left > kDotRows && loose <= kLooseRows ? left - loose : left;
}

/** Describes rows and gives them their keys. */
static void attend(const Call& call, const Task& task, Arena arena, Workspace w) {
  describeRows(call, task, w, task.first, task.count);
  if (task.purpose == Purpose::kDecode) openChunk(call, task, w);
  if (w.few) packFewQueries(call.plan.qType, w);
  const bool output = !task.shows() && call.wants(kOutput);
  if (!(isLow(call.plan, task) ? attendLow(call, task, arena, w) : attendRows(call, task, w, output))) return;
  if (task.purpose == Purpose::kDecode) return closeChunk(call, task, w);
  finishRows(call, task, w);
  if (task.purpose == Purpose::kShow) showRows(call, task, w);
}

/** One chunk of keys for all rows of an item. */
static void decode(const Call& call, const Task& task, const Arena& arena, const Workspace& w) {
  Task part = task;
  for (int64_t end = task.first + task.count; part.first < end; part.first += part.count) {
    part.count = rowsTogether(end - part.first);
    if (task.partials.chunks > 1) part.partials.data = task.partials.data + part.first * task.partials.stride;
    attend(call, part, arena, w);
  }
}

static void run(const Call& call, const Task& task, int64_t mostRows, void* memory) {
  const Plan& plan = call.plan;
  Arena arena{static_cast<char*>(memory), 0};
  Workspace w = layOut(arena, plan, mostRows);
  w.masked = call.keep.data != nullptr || call.drop.data != nullptr || call.bias.data != nullptr;
  const bool modified = plan.softcap > 0 || call.bias.data != nullptr || call.alibi.data != nullptr;
  w.natural = modified || task.shows();
  w.scale = static_cast<float>(w.natural ? plan.scale : plan.scale * 1.44269504088896340736);
  if (task.purpose == Purpose::kSum) return sumRows(call, task, mostRows, w);
  if (task.purpose == Purpose::kDecode) return decode(call, task, arena, w);
  if (task.purpose != Purpose::kMerge) return attend(call, task, arena, w);
  describeRows(call, task, w, task.first, task.count);
  mergeChunks(call, task, w);
}
