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
  /** Reads whole steps of `floatsPerStep`; `count` is a multiple of it. */
  size_t floatsPerStep;
  float (*read)(const float* data, size_t count);
};

/** The most GFLOP/s seen in about so many milliseconds on this thread. */
double peak(const Probes& probes, double milliseconds);

/** The most GB/s seen while reading `bytes` again and again; 0 where there is no such memory. */
double bandwidth(const Probes& probes, size_t bytes, double milliseconds);

}  // namespace selfsame
