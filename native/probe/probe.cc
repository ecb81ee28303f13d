#include "probe.h"

#include <chrono>
#include <iterator>
#include <memory>
#include <new>

namespace selfsame {
namespace {

using Clock = std::chrono::steady_clock;

/** Long enough for the clock, short enough to find a moment without interruption. */
constexpr double kPieceSeconds = 0.002;

volatile float kept;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/** The highest of amount(n) / seconds over pieces of work, whose size n is found first. */
template <class Work>
double bestRate(double amount, double milliseconds, Work work) {
  const Clock::time_point start = Clock::now();
  int64_t repeats = 1;
  double best = 0.0;
  for (;;) {
    const Clock::time_point begin = Clock::now();
    work(repeats);
    const double seconds = secondsSince(begin);
    if (seconds < kPieceSeconds / 2) {
      repeats *= 2;
      continue;
    }
    const double rate = amount * static_cast<double>(repeats) / seconds;
    best = rate > best ? rate : best;
    if (secondsSince(start) * 1000.0 >= milliseconds) return best / 1e9;
  }
}

}  // namespace

double peak(const Probes& probes, double milliseconds) {
  constexpr int64_t kSteps = 1024;
  const double flops = static_cast<double>(probes.flopsPerStep * kSteps);
  return bestRate(flops, milliseconds, [&](int64_t repeats) { kept = probes.multiplyAdd(kSteps * repeats); });
}

double bandwidth(const Probes& probes, size_t bytes, double milliseconds) {
  const size_t steps = bytes / sizeof(float) / probes.floatsPerStep;
  const size_t count = (steps > 0 ? steps : 1) * probes.floatsPerStep;
  constexpr size_t kLine = 64 / sizeof(float);
  const std::unique_ptr<float[]> memory(new (std::nothrow) float[count + kLine]);
  if (!memory) return 0.0;
  const size_t off = reinterpret_cast<uintptr_t>(memory.get()) / sizeof(float) % kLine;
  float* data = memory.get() + (kLine - off) % kLine;
  // Written, as pages that never were are all the same page of zeros.
  for (size_t i = 0; i < count; ++i) data[i] = static_cast<float>(i & 7);
  double best = 0.0;
  for (auto* read : probes.read) {
    const double amount = static_cast<double>(count * sizeof(float));
    const double rate = bestRate(amount, milliseconds / std::size(probes.read), [&](int64_t repeats) {
      for (int64_t i = 0; i < repeats; ++i) kept = read(data, count);
    });
    best = rate > best ? rate : best;
  }
  return best;
}

}  // namespace selfsame
