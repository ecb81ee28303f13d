/** Scores to weights, one vector of query rows at a time. Everything is decided per lane. */

/** Octaves by which scores may pass the reference before it follows them: a weight is at most 2^20. */
constexpr float kSlack = 20.0f;
constexpr float kLog2e = 1.44269504088896340736f;
constexpr float kLn2 = 0.69314718055994530942f;

/** The exponent of a weight: a score in octaves is one already, a natural one (kNatural) is brought to
 * octaves. */
template <bool kNatural>
SELFSAME_INLINE V::Reg exponentOf(V::Reg difference) {
  return kNatural ? V::mul(difference, V::all(kLog2e)) : difference;
}

/** A reference that has moved. */
struct Move {
  /** What earlier weights shrink by; 1 in lanes that stay. */
  V::Reg shrink;
  /** By how much the reference rose. */
  V::Reg rise;
};

/**
 * Lanes whose best score, relative to their reference, passes the threshold take it as their new reference;
 * earlier sums shrink to match. A lane that had no reference has no sums either (unless NaN, which stays):
 * its factor is 1.
 */
template <bool kNatural>
SELFSAME_NOINLINE Move moveReference(V::Reg best, float* reference, float* threshold, float* sum,
                                     float* factor) {
  const V::Reg limit = V::load(threshold);
  const V::Mask moves = V::greater(best, limit);
  const V::Mask started = V::greater(limit, V::all(-INFINITY));
  const V::Reg rise = V::select(moves, best, V::zero());
  const V::Reg shrink =
      V::select(started, powerOf2(exponentOf<kNatural>(V::sub(V::zero(), rise))), V::all(1.0f));
  V::store(reference, V::add(V::load(reference), rise));
  V::store(threshold, V::select(moves, V::all(kNatural ? kSlack * kLn2 : kSlack), limit));
  V::store(sum, V::mul(V::load(sum), shrink));
  V::store(factor, V::mul(V::load(factor), shrink));
  return {shrink, rise};
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

/** Scores of `count` keys to powers of their distance from the reference, in place; returns the sum. */
template <bool kNatural>
SELFSAME_INLINE V::Reg weighKeys(float* scores, int32_t count, V::Reg reference) {
  constexpr int kAtOnce = 4;
  V::Reg total = V::zero();
  int32_t key = 0;
  for (; key + kAtOnce <= count; key += kAtOnce) {
    V::Reg weight[kAtOnce];
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i)
      weight[i] = powerOf2(exponentOf<kNatural>(V::sub(V::load(scores + (key + i) * kLanes), reference)));
    SELFSAME_UNROLL
    for (int i = 0; i < kAtOnce; ++i) {
      V::store(scores + (key + i) * kLanes, weight[i]);
      total = V::add(total, weight[i]);
    }
  }
  for (; key < count; ++key) {
    const V::Reg weight = powerOf2(exponentOf<kNatural>(V::sub(V::load(scores + key * kLanes), reference)));
    V::store(scores + key * kLanes, weight);
    total = V::add(total, weight);
  }
  return total;
}

/** Every lane's best of the lanes that stand for the same row: those a multiple of `period` apart. */
static V::Reg bestOfRow(V::Reg best, int period) {
  float lanes[kLanes];
  V::store(lanes, best);
  for (int lane = period; lane < kLanes; ++lane) {
    if (lanes[lane] > lanes[lane % period]) lanes[lane % period] = lanes[lane];
  }
  for (int lane = period; lane < kLanes; ++lane) lanes[lane] = lanes[lane % period];
  return V::load(lanes);
}

/**
 * The softmax of a whole block's scores for one vector of rows; with a period below kLanes several keys lie
 * in each of its `count` vectors.
 */
template <bool kNatural>
SELFSAME_NOINLINE void softmaxBlock(const Workspace& w, int vector, float* scores, int32_t count,
                                    int period) {
  const int lane = vector * kLanes;
  V::store(w.factor + lane, V::all(1.0f));
  V::Reg best = V::sub(largest(scores, count), V::load(w.reference + lane));
  if (period < kLanes) best = bestOfRow(best, period);
  if (V::any(V::greater(best, V::load(w.threshold + lane)))) {
    moveReference<kNatural>(best, w.reference + lane, w.threshold + lane, w.sum + lane, w.factor + lane);
  }
  const V::Reg total = weighKeys<kNatural>(scores, count, V::load(w.reference + lane));
  V::store(w.sum + lane, V::add(V::load(w.sum + lane), total));
}

/**
 * Weights that sum to 1, once reference and sum are final. A masked key, whose score is -inf, has weight 0
 * also in a row that is NaN.
 */
SELFSAME_NOINLINE void normalise(const Workspace& w, int vector, float* scores, int32_t count) {
  const V::Reg origin = V::load(w.reference + vector * kLanes), whole = V::load(w.inverse + vector * kLanes);
  for (int32_t key = 0; key < count; ++key) {
    const V::Reg score = V::load(scores + key * kLanes);
    const V::Reg weight = powerOf2(exponentOf<true>(V::sub(score, origin)));
    const V::Mask masked = V::equal(score, V::all(-INFINITY));
    V::store(scores + key * kLanes, V::select(masked, V::zero(), V::mul(weight, whole)));
  }
}

/** A row's reference in octaves. */
static double referenceOf(const Workspace& w, int lane) {
  const double reference = w.reference[lane];
  return w.natural ? reference * 1.44269504088896340736 : reference;
}

/** 1 / (sum of the weights + sink); 0 for a row without weight, whose output is 0. */
static float inverseSum(const Workspace& w, int lane) {
  if (w.sum[lane] == 0.0f) return 0.0f;
  if (w.sink[lane] == -INFINITY) return 1.0f / w.sum[lane];
  const double sink = static_cast<double>(w.sink[lane]) * 1.44269504088896340736;
  return static_cast<float>(1.0 / (w.sum[lane] + exp2(sink - referenceOf(w, lane))));
}

/** The same for all lanes of a vector. */
static void inverseSums(const Workspace& w, int vector) {
  const int lane = vector * kLanes;
  if (V::any(V::greater(V::load(w.sink + lane), V::all(-INFINITY)))) {
    for (int i = lane; i < lane + kLanes; ++i) w.inverse[i] = inverseSum(w, i);
    return;
  }
  const V::Reg sum = V::load(w.sum + lane);
  V::store(w.inverse + lane, V::select(V::equal(sum, V::zero()), V::zero(), V::div(V::all(1.0f), sum)));
}

/** Natural log of the sum of exponentials of a row's scores. */
static float lseOf(const Workspace& w, int lane) {
  const double log2Sum = w.sum[lane] == 0.0f ? -INFINITY : log2(static_cast<double>(w.sum[lane]));
  return static_cast<float>((referenceOf(w, lane) + log2Sum) * 0.69314718055994530942);
}
