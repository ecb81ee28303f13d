/** The most reading that a core does: eight sums side by side, so that none is what the loads wait for. */

constexpr int kSums = 8;
/** Several times round the sums per step, so that counting does not take part. */
constexpr int kTimes = 4;

SELFSAME_NOINLINE float read(const float* SELFSAME_RESTRICT data, size_t count) {
  V::Reg sum[kSums];
  SELFSAME_UNROLL
  for (int i = 0; i < kSums; ++i) sum[i] = V::zero();
  for (size_t at = 0; at < count; at += static_cast<size_t>(kSums) * kTimes * V::kLanes) {
    SELFSAME_UNROLL
    for (int i = 0; i < kSums * kTimes; ++i) {
      sum[i % kSums] = V::add(sum[i % kSums], V::load(data + at + i * V::kLanes));
    }
  }
  SELFSAME_UNROLL
  for (int i = 1; i < kSums; ++i) sum[0] = V::add(sum[0], sum[i]);
  float lanes[V::kLanes];
  V::store(lanes, sum[0]);
  return lanes[0];
}
