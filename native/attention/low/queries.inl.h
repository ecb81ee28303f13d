/** Queries of lower precision, each in units of its own. */

/** The units of a precision follow a row's largest channel, or its norm, so that sums of products cannot
 * overflow. */
template <class P>
SELFSAME_INLINE float unitOf(float norm, float peak) {
  if (!P::kScaled) return 1.0f;
  const float size = P::kByPeak ? peak : norm;
  return (size > kLeastSize ? size : kLeastSize) / P::kMostOfRow;
}

/** Packs the queries of the vectors [vector, vector + count), which packQueries has turned and scaled. */
template <class P>
SELFSAME_NOINLINE void packLowQueries(const Workspace& w, const Packed& packed, int vector, int count) {
  SELFSAME_PHASE(kPack);
  for (int lane = vector * kLanes; lane < (vector + count) * kLanes; lane += kLanes) {
    const float* queries = w.queries + lane * w.headDim;
    V::Reg squares = V::zero(), peak = V::zero();
    for (int64_t c = 0; c < w.headDim; ++c) {
      const V::Reg x = V::load(queries + c * kLanes);
      squares = V::fma(x, x, squares);
      peak = largerSize(peak, x);
    }
    V::store(packed.queryNorm + lane, squares);
    V::store(packed.queryPeak + lane, peak);
    V::store(packed.offset + lane, V::zero());
    float factor[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      // The least size keeps what counts as 0 from meeting a key that is huge.
      const float norm = sqrtf(packed.queryNorm[lane + i]) + kLeastSize;
      packed.queryNorm[lane + i] = norm;
      packed.queryPeak[lane + i] += kLeastSize;
      packed.queryUnit[lane + i] = unitOf<P>(norm, packed.queryPeak[lane + i]);
      factor[i] = 1.0f / packed.queryUnit[lane + i];
    }
    const V::Reg by = V::load(factor);
    uint32_t* words = packed.queries + lane * packed.words;
    for (int64_t word = 0; word < packed.words; ++word) {
      V::Reg x[P::kPack];
      SELFSAME_UNROLL
      for (int i = 0; i < P::kPack; ++i) {
        const int64_t c = word * P::kPack + i;
        x[i] = c < w.headDim ? V::load(queries + c * kLanes) : V::zero();
      }
      P::store(words + word * kLanes, P::packQuery(x, by));
    }
  }
}

/** Whether some lanes take their scores in float32, and whether all do. */
struct ExactLanes {
  bool some;
  bool all;
};

/** Marks the lanes of the vectors [vector, vector + count) whose scores against the block may be off by more
 * than the precision allows. */
static ExactLanes findExactLanes(const Workspace& w, const Packed& packed, int vector, int count) {
  const float most = w.natural ? packed.kernels->mostOff : packed.kernels->mostOff * kLog2e;
  ExactLanes exact{false, true};
  for (int lane = vector * kLanes; lane < (vector + count) * kLanes; ++lane) {
    const float off = packed.queryNorm[lane] * packed.offPerNorm + packed.queryPeak[lane] * packed.offPerPeak;
    const bool moves = !(off <= most);
    packed.exact[lane] = moves ? 1.0f : 0.0f;
    exact.some = exact.some || moves;
    exact.all = exact.all && moves;
  }
  return exact;
}
