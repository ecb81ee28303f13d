/** What the bench measures of a processor, so that kernels can be judged by it. */
#pragma once
#include <cstddef>
#include <cstdint>

namespace selfsame {

/** The loops of one instruction set. Their results only keep a compiler from leaving the work out. */
struct Probes {
  /** Multiplications and additions of one step. */
  int64_t flopsPerStep;
  float (*multiplyAdd)(int64_t steps);
  /** Read the same, each in its own order; `count` is a multiple of `floatsPerStep`. */
  size_t floatsPerStep;
  float (*read[3])(const float* data, size_t count);
};

/** The most GFLOP/s seen in about so many milliseconds on this thread. */
double peak(const Probes& probes, double milliseconds);

/** The most GB/s seen while reading `bytes` over and over, in any order; 0 where there is no such memory. */
double bandwidth(const Probes& probes, size_t bytes, double milliseconds);

}  // namespace selfsame
