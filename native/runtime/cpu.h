/** What the CPU can run, and the operating system lets it. */
#pragma once

namespace selfsame {

struct CpuFeatures {
  /** AVX2 and FMA, their registers saved by the system. */
  bool avx2 = false;
  /** AVX-512 F, VL, BW and DQ, their registers saved by the system. */
  bool avx512 = false;
};

/** Asked once. */
const CpuFeatures& cpuFeatures();

}  // namespace selfsame
