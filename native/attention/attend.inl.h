/** Scores, softmax and products of a task's rows, block by block. */

/** Scores of the block for the vectors [vector, vector + count), as products made them, to weights, with all
 * that options do to them. */
static void softmaxScores(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                          const Block& block) {
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

/** Weights of the block for the vectors [vector, vector + count). */
static void softmaxTile(const Call& call, const Task& task, const Workspace& w, int vector, int count,
                        const Block& block) {
  if (w.few) {
    dotBlock(w, vector, count, block);
  } else {
    scoreBlock(w, vector, count, block);
  }
  softmaxScores(call, task, w, vector, count, block);
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

/** Sums keep what they have, also those of vectors without keys in this block, as products take them along.
 */
static void keepSums(const Workspace& w, int vector, int count) {
  for (int i = vector; i < vector + count; ++i) V::store(w.factor + i * kLanes, V::all(1.0f));
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
      keepSums(w, tile, count);
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
