#include "dispatch.h"

#include "../isa/kernels.h"
#include "cpu.h"

namespace selfsame {

const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> all = {
#if defined(__x86_64__) || defined(_M_X64)
    {&kAvx512Kernels, cpuFeatures().avx512},
    {&kAvx2Kernels, cpuFeatures().avx2},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {&kNeonKernels, true},  // part of the platform
#endif
    {&kScalarKernels, true},
  };
  return all;
}

#if defined(__x86_64__) || defined(_M_X64)
int64_t precisionsOf(const Kernels& kernels) {
  int64_t absent = 0;
  // Products of 16 bits in two instructions, as AVX2 has them, are no faster than float32 of 512 bits.
  if (&kernels == &kAvx512Kernels && !cpuFeatures().vnni) absent |= kAsInt8 | kAsInt16;
  if (!cpuFeatures().bf16) absent |= kAsBfloat16;
  return kernels.precisions & ~absent;
}
#else
int64_t precisionsOf(const Kernels& kernels) { return kernels.precisions; }
#endif

}  // namespace selfsame
