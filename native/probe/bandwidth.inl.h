/**
 * The most reading that a core does: eight sums side by side, so that none is what the loads wait for, over
 * one, two or four runs of memory at a time. What fetches ahead stops at the end of a page, and another run
 * is in the middle of one meanwhile: from 64 MiB two runs are read at twice the rate of one and more.
 */

constexpr int kSums = 8;
/** Loads of one step, shared out to the runs; so many that counting does not take part. */
constexpr int kLoads = 32;

template <int kRuns>
SELFSAME_NOINLINE float read(const float* SELFSAME_RESTRICT data, size_t count) {
  constexpr int kEach = kLoads / kRuns;
  const size_t length = count / kRuns;
  V::Reg sum[kSums];
  SELFSAME_UNROLL
  for (int i = 0; i < kSums; ++i) sum[i] = V::zero();
  for (size_t at = 0; at < length; at += static_cast<size_t>(kEach) * V::kLanes) {
    SELFSAME_UNROLL
    for (int i = 0; i < kLoads; ++i) {
      const float* run = data + static_cast<size_t>(i / kEach) * length;
      sum[i % kSums] = V::add(sum[i % kSums], V::load(run + at + i % kEach * V::kLanes));
    }
  }
  SELFSAME_UNROLL
  for (int i = 1; i < kSums; ++i) sum[0] = V::add(sum[0], sum[i]);
  float lanes[V::kLanes];
  V::store(lanes, sum[0]);
  return lanes[0];
}
