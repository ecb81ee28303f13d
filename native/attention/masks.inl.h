/**
 * Which keys a row attends to, as bits: lengths, causality and windows by ranges, keep and drop by the
 * caller's masks. A word holds 32 keys of one row and a vector of words those of kLanes rows, so that a key's
 * mask is one test of a bit.
 */

/** The lowest n bits. */
static uint32_t lowBits(int32_t n) { return n >= kWordKeys ? ~0u : n <= 0 ? 0u : (1u << n) - 1u; }

/** Bits of the keys in [key, key + 32) that a row's range holds. */
static uint32_t rangeBits(const KeyRange& range, int32_t key) {
  if (range.end <= key || range.begin >= key + kWordKeys) return 0;
  const uint32_t gap = lowBits(range.gapEnd - key) & ~lowBits(range.gapBegin - key);
  return lowBits(range.end - key) & ~lowBits(range.begin - key) & ~gap;
}

/** 32 flags of a mask's row from the tensor's key `at` on; what lies behind its last key comes out 0. */
static uint32_t maskBits(const void* row, bool bits, int64_t at, int64_t keys) {
  const int64_t left = keys - at;
  if (!bits) {
    const uint8_t* bytes = static_cast<const uint8_t*>(row) + at;
    if (left >= kWordKeys) return V::bitsOfBytes(bytes);
    uint8_t last[kWordKeys] = {};
    memcpy(last, bytes, left);
    return V::bitsOfBytes(last);
  }
  const uint32_t* words = static_cast<const uint32_t*>(row) + at / kWordKeys;
  const int shift = static_cast<int>(at % kWordKeys);
  const uint32_t low = words[0] >> shift;
  return shift != 0 && left > kWordKeys - shift ? low | words[1] << (kWordKeys - shift) : low;
}

/** Keeps the bits of a mask in the words of kLanes rows, or (drop) all others. */
static void applyMask(const void* const* rows, bool bits, bool drop, int64_t at, int64_t keys,
                      uint32_t* words) {
  uint32_t flags = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    // Rows that share their mask, as stacked heads do, look it up once.
    if (lane == 0 || rows[lane] != rows[lane - 1]) {
      flags = maskBits(rows[lane], bits, at, keys);
      if (drop) flags = ~flags;
    }
    words[lane] &= flags;
  }
}

/** Fills in which keys of the block's `part` the rows of a vector see, before the bias has its say. */
static void findVisible(const Call& call, const Task& task, const Workspace& w, int vector,
                        const Block& block, const Reach& part, float* visible) {
  const Plan& plan = call.plan;
  const int lane = vector * kLanes;
  for (int32_t key = part.begin - part.begin % kWordKeys; key < part.end; key += kWordKeys) {
    uint32_t words[kLanes];
    float* at = visible + (key - block.first) / kWordKeys * kLanes;
    const bool inner = part.innerBegin <= key && key + kWordKeys <= part.innerEnd;
    if (inner && !w.masked) {
      memset(at, 0xff, sizeof(words));
      continue;
    }
    for (int i = 0; i < kLanes; ++i) words[i] = inner ? ~0u : rangeBits(w.range[lane + i], key);
    const int64_t flag = call.items[task.item].keyFirst + key;
    if (call.keep.data != nullptr)
      applyMask(w.keep + lane, plan.keepBits != 0, false, flag, plan.keys, words);
    if (call.drop.data != nullptr) applyMask(w.drop + lane, plan.dropBits != 0, true, flag, plan.keys, words);
    memcpy(at, words, sizeof(words));
  }
}

/** Keys of the block that a row does not see get score -inf, whatever was computed (even NaN). */
SELFSAME_NOINLINE void hideKeys(float* scores, int32_t from, int32_t to, const float* visible) {
  const V::Reg hidden = V::all(-INFINITY);
  for (int32_t word = from - from % kWordKeys; word < to; word += kWordKeys) {
    const float* at = visible + word / kWordKeys * kLanes;
    const int32_t begin = larger(word, from), end = smaller(word + kWordKeys, to);
    const uint32_t asked = lowBits(end - word) & ~lowBits(begin - word);
    uint32_t all = ~0u;
    for (int i = 0; i < kLanes; ++i) {
      uint32_t bits;
      memcpy(&bits, at + i, sizeof(bits));
      all &= bits;
    }
    if ((all & asked) == asked) continue;
    const V::Reg words = V::load(at);
    for (int32_t key = begin; key < end; ++key) {
      float* row = scores + key * kLanes;
      V::store(row, V::select(V::hasBit(words, 1u << (key - word)), V::load(row), hidden));
    }
  }
}

/** Whether some row of a vector does not see some key of the block's part, or the product must know which. */
static bool hides(const Workspace& w, const Block& block, const Reach& part) {
  return w.masked || !block.finite || part.begin < part.innerBegin || part.innerEnd < part.end;
}

/**
 * All that options do to the scores of one block and vector before the softmax. Where every row sees every
 * key and nothing is added, that is nothing at all.
 */
static void modifyScores(const Call& call, const Task& task, const Workspace& w, int vector,
                         const Block& block, const Reach& part, float* scores, float* visible) {
  const Plan& plan = call.plan;
  const int lane = vector * kLanes;
  const int32_t from = part.begin - block.first, to = part.end - block.first;
  const bool edge = hides(w, block, part);
  if (edge) findVisible(call, task, w, vector, block, part, visible);
  if (plan.softcap > 0) capScores(scores + from * kLanes, to - from, static_cast<float>(plan.softcap));
  if (call.bias.data != nullptr) {
    addBias(plan.biasType, scores, from, to, w.bias + lane, call.items[task.item].keyFirst + block.first,
            plan.keys, visible);
  }
  if (call.alibi.data != nullptr) {
    addAlibi(scores + from * kLanes, to - from, w.slope + lane, w.position + lane, part.begin);
  }
  if (edge) hideKeys(scores, from, to, visible);
}
