/** The measuring loops of each instruction set of the platform. */
#pragma once
#include "probe.h"

namespace selfsame {
#if defined(__x86_64__) || defined(_M_X64)
extern const Probes kAvx512Probes;
extern const Probes kAvx2Probes;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const Probes kNeonProbes;
#endif
extern const Probes kScalarProbes;
}  // namespace selfsame
