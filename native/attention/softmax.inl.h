/** Scores of a block to weights, one vector of query rows at a time. Everything is decided per lane. */

/** Octaves by which scores may pass the reference before it follows them: a weight is at most 2^20. */
constexpr float kSlack = 20.0f;

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
 * The exponent of a weight, in octaves. Products carry their scale here: with the reference in octaves that
 * is one rounding and as cheap as a subtraction. Real scores (kScores) keep theirs in their own unit, for a
 * bias may be so large that octaves of it have no float32.
 */
template <bool kScores>
SELFSAME_INLINE V::Reg exponentOf(V::Reg score, V::Reg reference, V::Reg unit) {
  if constexpr (kScores) return V::mul(V::sub(score, reference), unit);
  return V::fma(score, unit, V::sub(V::zero(), reference));
}

/**
 * Lanes whose best score has passed the threshold take it as their new reference; earlier sums shrink to
 * match. A lane that had no reference has no sums either (unless NaN, which stays), so its factor is 1.
 */
template <bool kScores>
SELFSAME_NOINLINE void moveReference(V::Reg best, V::Reg unit, float* reference, float* threshold, float* sum,
                                     float* factor) {
  const V::Reg limit = V::load(threshold), old = V::load(reference);
  const V::Mask moves = V::greater(best, limit);
  const V::Mask started = V::greater(limit, V::all(-INFINITY));
  const V::Reg moved = V::select(moves, best, old);
  const V::Reg step = V::sub(old, moved);
  const V::Reg shrink = powerOf2(kScores ? V::mul(step, unit) : step);
  const V::Reg slack = V::all(kScores ? kSlack * 0.693147180559945f : kSlack);
  const V::Reg by = V::select(started, shrink, V::all(1.0f));
  V::store(reference, moved);
  V::store(threshold, V::select(moves, V::add(moved, slack), limit));
  V::store(sum, V::mul(V::load(sum), by));
  V::store(factor, by);
}

/** Scores of `count` keys to weights relative to the reference, and their sum. A score of 1 is `unit`
 * octaves. */
template <bool kScores>
SELFSAME_NOINLINE void softmaxOf(float* scores, int32_t count, float unit, float* reference, float* threshold,
                                 float* sum, float* factor) {
  V::store(factor, V::all(1.0f));
  const V::Reg scale = V::all(unit), most = largest(scores, count);
  const V::Reg best = kScores ? most : V::mul(most, scale);
  if (V::any(V::greater(best, V::load(threshold)))) {
    moveReference<kScores>(best, scale, reference, threshold, sum, factor);
  }
  const V::Reg origin = V::load(reference);
  constexpr int kAtOnce = 4;
  V::Reg total = V::zero();
  int32_t key = 0;
  for (; key + kAtOnce <= count; key += kAtOnce) {
    V::Reg weight[kAtOnce];
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i)
      weight[i] = powerOf2(exponentOf<kScores>(V::load(scores + (key + i) * kLanes), origin, scale));
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i) {
      V::store(scores + (key + i) * kLanes, weight[i]);
      total = V::add(total, weight[i]);
    }
  }
  for (; key < count; ++key) {
    const V::Reg weight = powerOf2(exponentOf<kScores>(V::load(scores + key * kLanes), origin, scale));
    V::store(scores + key * kLanes, weight);
    total = V::add(total, weight);
  }
  V::store(sum, V::add(V::load(sum), total));
}

/** The same for `count` keys of one vector of rows. */
static void softmax(const Workspace& w, int vector, float* scores, int32_t count) {
  const int lane = vector * kLanes;
  float *reference = w.reference + lane, *threshold = w.threshold + lane, *sum = w.sum + lane;
  if (w.modified) return softmaxOf<true>(scores, count, w.unit, reference, threshold, sum, w.factor + lane);
  softmaxOf<false>(scores, count, w.unit, reference, threshold, sum, w.factor + lane);
}

/**
 * Weights that sum to 1, once reference and sum are final. A weight of exactly 0 stays 0 whatever the sum is:
 * masked keys have it, also in a row that is NaN.
 */
template <bool kScores>
SELFSAME_NOINLINE void normaliseOf(float* scores, int32_t count, float unit, const float* reference,
                                   const float* inverse) {
  const V::Reg scale = V::all(unit), origin = V::load(reference), whole = V::load(inverse);
  for (int32_t key = 0; key < count; ++key) {
    const V::Reg weight = powerOf2(exponentOf<kScores>(V::load(scores + key * kLanes), origin, scale));
    V::store(scores + key * kLanes, V::select(V::equal(weight, V::zero()), V::zero(), V::mul(weight, whole)));
  }
}

static void normalise(const Workspace& w, int vector, float* scores, int32_t count) {
  const int lane = vector * kLanes;
  if (w.modified) return normaliseOf<true>(scores, count, w.unit, w.reference + lane, w.inverse + lane);
  normaliseOf<false>(scores, count, w.unit, w.reference + lane, w.inverse + lane);
}

/** A row's reference in octaves. */
static double referenceOf(const Workspace& w, int lane) {
  const double reference = w.reference[lane];
  return w.modified ? reference * 1.44269504088896340736 : reference;
}

/** 1 / (sum of the weights + sink); 0 for a row without weight, whose output is 0. */
static float inverseSum(const Workspace& w, int lane) {
  if (w.sum[lane] == 0.0f) return 0.0f;
  if (w.sink[lane] == -INFINITY) return 1.0f / w.sum[lane];
  return static_cast<float>(1.0 /
                            (w.sum[lane] + exp2(static_cast<double>(w.sink[lane]) - referenceOf(w, lane))));
}

/** Natural log of the sum of exponentials of a row's scores. */
static float lseOf(const Workspace& w, int lane) {
  const double log2Sum = w.sum[lane] == 0.0f ? -INFINITY : log2(static_cast<double>(w.sum[lane]));
  return static_cast<float>((referenceOf(w, lane) + log2Sum) * 0.69314718055994530942);
}
