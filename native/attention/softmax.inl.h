/** Scores of a block to weights, one vector of query rows at a time. Everything is decided per lane. */

/** Octaves by which scores may pass the reference before it follows them: a weight is at most 2^20. */
constexpr float kSlack = 20.0f;

/**
 * 2^x for x <= 128, 0 below 2^-126, NaN for NaN. 2^f on [-1/2, 1/2] is a polynomial of degree 5 (minimax,
 * relative error 1.1e-7 with these float32 coefficients) times 2^n, whose bits fall out of adding 1.5 * 2^23
 * + 127.
 */
SELFSAME_INLINE V::Reg powerOf2(V::Reg x) {
  const V::Reg magic = V::all(12583039.0f);
  x = V::max(V::all(-127.0f), x);
  const V::Reg rounded = V::add(x, magic);
  const V::Reg f = V::sub(x, V::sub(rounded, magic));
  V::Reg y = V::fma(V::all(0x1.5bba14p-10f), f, V::all(0x1.3cea88p-7f));
  y = V::fma(y, f, V::all(0x1.c6b752p-5f));
  y = V::fma(y, f, V::all(0x1.ebf9bcp-3f));
  y = V::fma(y, f, V::all(0x1.62e42ap-1f));
  y = V::fma(y, f, V::all(1.0f));
  return V::mul(y, V::toExponent(rounded));
}

/** Keys that some rows of a vector do not attend to get score -inf there, whatever was computed (even NaN).
 */
static void maskKeys(float* scores, const KeyRange* range, int32_t block, int32_t begin, int32_t end) {
  float first[kLanes], last[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    first[i] = static_cast<float>(clampTo(range[i].begin, block, block + Tile::kBlock) - block) - 0.5f;
    last[i] = static_cast<float>(clampTo(range[i].end, block, block + Tile::kBlock) - block) - 0.5f;
  }
  const V::Reg from = V::load(first), to = V::load(last), masked = V::all(-INFINITY);
  for (int32_t key = begin; key < end; ++key) {
    float* row = scores + (key - block) * kLanes;
    const V::Reg at = V::all(static_cast<float>(key - block));
    V::store(row, V::select(V::both(V::greater(at, from), V::greater(to, at)), V::load(row), masked));
  }
}

/** The stage between products and softmax: whatever options do to scores is done here, on one block. */
static void modifyScores(const Workspace& w, int vector, float* scores, int32_t block, const Reach& part) {
  const KeyRange* range = w.range + vector * kLanes;
  maskKeys(scores, range, block, part.begin, part.innerBegin);
  maskKeys(scores, range, block, part.innerEnd, part.end);
}

SELFSAME_INLINE V::Reg largest(const float* scores, int32_t count) {
  constexpr int kChains = 8;
  V::Reg best[kChains];
  SELFSAME_UNROLL
  for (int i = 0; i < kChains; ++i) best[i] = V::all(-INFINITY);
  int32_t key = 0;
  for (; key + kChains <= count; key += kChains) {
    SELFSAME_UNROLL
    for (int i = 0; i < kChains; ++i) best[i] = V::max(best[i], V::load(scores + (key + i) * kLanes));
  }
  for (; key < count; ++key) best[0] = V::max(best[0], V::load(scores + key * kLanes));
  SELFSAME_UNROLL
  for (int width = kChains / 2; width > 0; width /= 2) {
    SELFSAME_UNROLL
    for (int i = 0; i < width; ++i) best[i] = V::max(best[i], best[i + width]);
  }
  return best[0];
}

/**
 * Lanes whose best score has passed the threshold take it as their new reference; earlier sums shrink to
 * match. A lane that had no reference has no sums either (unless NaN, which stays), so its factor is 1.
 */
SELFSAME_NOINLINE void moveReference(V::Reg best, float* reference, float* threshold, float* sum,
                                     float* factor) {
  const V::Reg limit = V::load(threshold), old = V::load(reference);
  const V::Mask moves = V::greater(best, limit);
  const V::Mask started = V::greater(limit, V::all(-INFINITY));
  const V::Reg moved = V::select(moves, best, old);
  const V::Reg shrink = V::select(started, powerOf2(V::sub(old, moved)), V::all(1.0f));
  V::store(reference, moved);
  V::store(threshold, V::select(moves, V::add(moved, V::all(kSlack)), limit));
  V::store(sum, V::mul(V::load(sum), shrink));
  V::store(factor, shrink);
}

/**
 * Scores of `count` keys to weights relative to the reference, and their sum. A score counts `unit` octaves:
 * scaling here, in one rounding with the reference, is as cheap as a subtraction and leaves queries and keys
 * as they are.
 */
SELFSAME_NOINLINE void softmax(float* scores, int32_t count, float unit, float* reference, float* threshold,
                               float* sum, float* factor) {
  V::store(factor, V::all(1.0f));
  const V::Reg scale = V::all(unit);
  const V::Reg best = V::mul(largest(scores, count), scale);
  if (V::any(V::greater(best, V::load(threshold)))) moveReference(best, reference, threshold, sum, factor);
  const V::Reg origin = V::sub(V::zero(), V::load(reference));
  constexpr int kAtOnce = 4;
  V::Reg total = V::zero();
  int32_t key = 0;
  for (; key + kAtOnce <= count; key += kAtOnce) {
    V::Reg weight[kAtOnce];
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i)
      weight[i] = powerOf2(V::fma(V::load(scores + (key + i) * kLanes), scale, origin));
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i) {
      V::store(scores + (key + i) * kLanes, weight[i]);
      total = V::add(total, weight[i]);
    }
  }
  for (; key < count; ++key) {
    const V::Reg weight = powerOf2(V::fma(V::load(scores + key * kLanes), scale, origin));
    V::store(scores + key * kLanes, weight);
    total = V::add(total, weight);
  }
  V::store(sum, V::add(V::load(sum), total));
}
