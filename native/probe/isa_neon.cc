#if defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>

#include <cstring>

#include "../simd/region.h"
#include "isa.h"

namespace selfsame::neon {
#include "../simd/neon.h"
#include "probes.inl.h"
}  // namespace selfsame::neon

const selfsame::Probes selfsame::kNeonProbes = selfsame::neon::kProbes;
#endif
