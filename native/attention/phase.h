/**
 * Where the time of a task goes: clock ticks per phase, in builds that define SELFSAME_PHASES; else nothing
 * at all. One thread at a time may be measured so.
 */
#pragma once

#if defined(SELFSAME_PHASES)
#include <chrono>
#include <cstdint>
#endif

namespace selfsame {

enum class Phase { kPack, kScore, kSoftmax, kProduct, kStore, kCount };

#if defined(SELFSAME_PHASES)

inline int64_t phaseNanoseconds[static_cast<int>(Phase::kCount)] = {};

/** Counts the time until the end of its scope. */
class Timed {
 public:
  explicit Timed(Phase phase) : phase_(phase), start_(std::chrono::steady_clock::now()) {}
  ~Timed() {
    phaseNanoseconds[static_cast<int>(phase_)] += (std::chrono::steady_clock::now() - start_).count();
  }

 private:
  Phase phase_;
  std::chrono::steady_clock::time_point start_;
};

#define SELFSAME_PHASE(phase) const Timed timed(Phase::phase)
#else
#define SELFSAME_PHASE(phase)
#endif

}  // namespace selfsame
