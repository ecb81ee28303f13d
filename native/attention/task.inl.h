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

/** Weights of the block for the vectors [vector, vector + count), with all that options do to their scores.
 */
static void softmaxTile(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                        const Block& block) {
  if (w.few) {
    dotBlock(w, vector, count, block);
  } else {
    scoreBlock(w, vector, count, block);
  }
  SELFSAME_PHASE(kSoftmax);
  if (w.period < kLanes) return weighPacked(call, task, w, block);
  for (int i = 0; i < count; ++i) {
    const Reach part = within(w.vectorReach[vector + i], block.first, block.end);
    if (part.begin == part.end) continue;
    modifyScores(call, task, w, vector + i, block, part, scoresOf(w, i), visibleOf(w, i));
    float* scores = scoresOf(w, i) + (part.begin - block.first) * kLanes;
    if (w.natural) {
      softmaxBlock<true>(w, vector + i, scores, part.end - part.begin, kLanes);
    } else {
      softmaxBlock<false>(w, vector + i, scores, part.end - part.begin, kLanes);
    }
  }
}

/**
 * Packs the queries of the vectors [vector, vector + count) at the first block that they have keys in, not
 * sooner: they come from memory while the tile before them scores. False where the block has no keys for
 * them.
 */
static bool openRows(const Call& call, const Workspace& w, int vector, int count, Block* block) {
  const Reach part = reachOfBlock(w, vector, count, *block);
  if (part.begin == part.end) return false;
  block->opens = !w.open[vector];
  if (block->opens) packQueries(call.plan.qType, w, vector, count);
  for (int i = vector; i < vector + count; ++i) w.open[i] = true;
  return true;
}

/** Stores the outputs of the vectors, where they are open and none of them reaches a key from `end` on. */
static void closeRows(const Call& call, const Workspace& w, int vector, int count, int32_t end) {
  SELFSAME_PHASE(kStore);
  if (reachOfAll(w.vectorReach + vector, count).end > end) return;
  for (int i = vector; i < vector + count; ++i) {
    if (w.open[i]) storeRows(w, i, call.plan.valueDim);
    w.open[i] = false;
  }
}

/** Softmax of all rows over all their keys, and with `output` the values it weighs. False where it was
 * stopped. */
static bool attendRows(const Call& call, const Task& task, const Workspace& w, bool output) {
  const Reach all = reachOfAll(w.vectorReach, w.vectors);
  const int32_t end = call.items[task.item].keyEnd;
  for (int32_t first = all.begin - all.begin % w.step; first < all.end; first += w.step) {
    if (call.stopped()) return false;
    const Reach reached = within(all, first, first + w.step);
    Block block;
    if (reached.begin == reached.end) continue;
    if (!openBlock(call, task, w, first, end, reached, output, &block)) continue;
    lookAhead(call, task, w, block.end, end, output, &block.nextKeys, &block.nextValues);
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, Tile::kQueryVectors);
      if (!w.few && !openRows(call, w, tile, count, &block)) continue;
      // Of all vectors at hand, as the product takes those without keys in this block along.
      for (int i = tile; i < tile + count; ++i) V::store(w.factor + i * kLanes, V::all(1.0f));
      if (w.natural || w.few) {
        softmaxTile(call, task, w, tile, count, block);
      } else {
        weighBlock(call, task, w, tile, count, block);
      }
      if (output && w.few) productFewRows(w, tile, count, call.plan.valueDim, block);
      if (output && !w.few) {
        productBlock(w, tile, count, call.plan.valueDim, block);
        closeRows(call, w, tile, count, block.end);
      }
      block.nextKeys = block.nextValues = {};
    }
  }
  // Those whose last page is gone.
  if (output) closeRows(call, w, 0, w.vectors, INT32_MAX);
  return true;
}

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

static void run(const Call& call, const Task& task, int64_t mostRows, void* memory) {
  const Plan& plan = call.plan;
  Arena arena{static_cast<char*>(memory), 0};
  Workspace w = layOut(arena, plan, mostRows);
  w.masked = call.keep.data != nullptr || call.drop.data != nullptr || call.bias.data != nullptr;
  const bool modified = plan.softcap > 0 || call.bias.data != nullptr || call.alibi.data != nullptr;
  w.natural = modified || task.shows();
  w.scale = static_cast<float>(w.natural ? plan.scale : plan.scale * 1.44269504088896340736);
  if (task.purpose == Purpose::kSum) return sumRows(call, task, mostRows, w);
  describeRows(call, task, w, task.first, task.count);
  if (task.purpose == Purpose::kMerge) return mergeChunks(call, task, w);
  if (task.purpose == Purpose::kDecode) openChunk(call, task, w);
  if (w.few) packFewQueries(plan.qType, w);
  if (!attendRows(call, task, w, !task.shows() && call.wants(kOutput))) return;
  if (task.purpose == Purpose::kDecode) return closeChunk(call, task, w);
  finishRows(call, task, w);
  if (task.purpose == Purpose::kShow) showRows(call, task, w);
}
