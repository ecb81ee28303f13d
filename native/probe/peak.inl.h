/**
 * The most arithmetic that a core does: chains of multiply-adds in registers. A chain waits for its own
 * last result, 4 cycles or so, and up to 2 (on arm64 4) start per cycle: 12 chains hide that, 24 for certain.
 */

constexpr int kChains = V::kRegs >= 32 ? 24 : 12;

SELFSAME_NOINLINE float multiplyAdd(int64_t steps) {
  // Unknown to the compiler, and such that the chains settle at 1: no infinity, no denormal.
  static volatile float given = 0.5f;
  const float half = given;
  const V::Reg factor = V::all(half);
  const V::Reg summand = V::all(1.0f - half);
  V::Reg chain[kChains];
  SELFSAME_UNROLL
  for (int i = 0; i < kChains; ++i) chain[i] = V::all(half + static_cast<float>(i));
  for (int64_t step = 0; step < steps; ++step) {
    SELFSAME_UNROLL
    for (int i = 0; i < kChains; ++i) chain[i] = V::fma(chain[i], factor, summand);
  }
  SELFSAME_UNROLL
  for (int i = 1; i < kChains; ++i) chain[0] = V::add(chain[0], chain[i]);
  float lanes[V::kLanes];
  V::store(lanes, chain[0]);
  return lanes[0];
}
