/**
 * A task whose products have lower precision, with its softmax in float32. Keys and values are packed block
 * by block. What the precision cannot carry is computed in float32 by the kernels of float32: the scores of a
 * row and block that it might move too far, and the values of a block of which some are not finite (or, in
 * int8, stand out too far). Which they are follows from the row and the item's keys of the block alone.
 */

/** Scores, then weights of the block for the vectors [vector, vector + count). */
static void weighLow(const Call& call, const Task& task, const Workspace& w, const Packed& packed, int vector,
                     int count, const Block& block) {
  if (!w.natural) return weighPackedBlock(call, task, w, packed, vector, count, block);
  scorePackedBlock(w, packed, vector, count, block);
  softmaxScores(call, task, w, vector, count, block);
}

/** As attendRows. */
static bool attendPacked(const Call& call, const Task& task, const Workspace& w, Packed& packed) {
  const bool output = call.wants(kOutput);
  const Plan& plan = call.plan;
  const Item& item = call.items[task.item];
  const PackedKernels& kernels = *packed.kernels;
  const Reach all = reachOfAll(w.vectorReach, w.vectors);
  packed.words = (plan.headDim + kernels.pack - 1) / kernels.pack;
  packed.keyRow = paddedChannels(plan.headDim) / kernels.pack;
  packed.valueRow = paddedChannels(plan.valueDim);
  for (int32_t first = all.begin - all.begin % w.step; first < all.end; first += w.step) {
    if (call.stopped()) return false;
    Reach reached = within(all, first, first + w.step);
    Block block;
    if (reached.begin == reached.end) continue;
    // Units are those of all keys that any row of the item may see, so that no task's share of rows shows.
    reached.begin = larger(first, item.keyBegin);
    reached.end = smaller(first + w.step, item.keyEnd);
    if (!openBlock(call, task, w, first, item.keyEnd, reached, output, &block)) continue;
    const int32_t from = reached.begin - first, to = reached.end - first;
    kernels.packKeys(w, packed, block, from, to);
    const bool fits = output && measureValues(packed, block, from, to, plan.valueDim);
    if (fits) kernels.packValues(packed, block, from, to, plan.valueDim);
    for (int tile = 0, count; tile < w.vectors; tile += count) {
      count = nextVectors(w.vectors - tile, kPackedVectors);
      if (!openRows(call, w, tile, count, &block)) continue;
      keepSums(w, tile, count);
      if (block.opens) kernels.packQueries(w, packed, tile, count);
      if (kernels.centresKeys) scoreMean(w, packed, tile, count);
      weighLow(call, task, w, packed, tile, count, block);
      if (!output) continue;
      if (fits) {
        packedProductBlock(w, packed, tile, count, plan.valueDim, block);
      } else {
        productBlock(w, tile, count, plan.valueDim, block);
      }
      closeRows(call, w, tile, count, block.end);
    }
  }
  // Those whose last page is gone.
  if (output) closeRows(call, w, 0, w.vectors, INT32_MAX);
  return true;
}

/** Whether a task has products of lower precision: decoding waits for memory, and what is shown is exact. */
static bool isLow(const Plan& plan, const Task& task) {
  return (plan.features & Tile::kPrecisions) != 0 && task.purpose == Purpose::kAttend;
}

template <class P>
constexpr PackedKernels kPackedKernels{P::kPack,
                                       P::kCentresKeys,
                                       P::kMostOff,
                                       P::kMostOfValue,
                                       P::kMostSpread,
                                       packLowQueries<P>,
                                       packKeys<P>,
                                       packValues<P>,
                                       packWeights<P>,
                                       {weighPackedTile<P, 1>, weighPackedTile<P, 2>},
                                       {packedProductTile<P, 1>, packedProductTile<P, 2>}};
static_assert(kPackedVectors == 2);

/** Those of the precision that a plan names, of those that the instruction set T has. */
template <class T>
static const PackedKernels* packedKernels(int64_t features) {
  if constexpr ((T::kPrecisions & kAsInt16) != 0) {
    if ((features & kAsInt16) != 0) return &kPackedKernels<Int16Of<typename T::Int16>>;
  }
  if constexpr ((T::kPrecisions & kAsInt8) != 0) {
    if ((features & kAsInt8) != 0) return &kPackedKernels<Int8Of<typename T::Int8>>;
  }
  if constexpr ((T::kPrecisions & kAsBfloat16) != 0) {
    if ((features & kAsBfloat16) != 0) return &kPackedKernels<Bfloat16Of<typename T::Bfloat16>>;
  }
  return nullptr;
}

/** Runs a task at the precision that the plan names. */
static bool attendLow(const Call& call, const Task& task, Arena& arena, const Workspace& w) {
  Packed packed = layOutPacked(arena, call.plan, w);
  packed.kernels = packedKernels<Tile>(call.plan.features);
  return attendPacked(call, task, w, packed);
}
