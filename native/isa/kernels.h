/** One table per instruction set of the platform. */
#pragma once
#include "../attention/call.h"

namespace selfsame {
#if defined(__x86_64__) || defined(_M_X64)
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const Kernels kNeonKernels;
#endif
extern const Kernels kScalarKernels;
}  // namespace selfsame
