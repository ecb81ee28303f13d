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

int64_t precisionsOf(const Kernels& kernels) {
  int64_t absent = 0;
  if (!cpuFeatures().vnni) absent |= kAsInt8;
  if (!cpuFeatures().bf16) absent |= kAsBfloat16;
  return kernels.precisions & ~absent;
}

}  // namespace selfsame
