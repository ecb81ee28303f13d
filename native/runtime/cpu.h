/** What the CPU can run, and the operating system lets it. */
#pragma once

namespace selfsame {

struct CpuFeatures {
  /** AVX2 and FMA, their registers saved by the system. */
  bool avx2 = false;
  /** AVX-512 F, VL, BW and DQ, their registers saved by the system. */
  bool avx512 = false;
  /** With AVX-512: dot products of 8 and 16 bit integers (VNNI), and of bfloat16. */
  bool vnni = false;
  bool bf16 = false;
};

/** Asked once. */
const CpuFeatures& cpuFeatures();

}  // namespace selfsame
