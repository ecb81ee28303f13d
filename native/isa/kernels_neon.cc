#if defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "../attention/call.h"
#include "../attention/phase.h"
#include "../simd/region.h"
#include "kernels.h"

namespace selfsame::neon {
#include "../simd/neon.h"
struct Tile {
  static constexpr const char* kIsa = "neon";
  static constexpr int kKeys = 8, kQueryVectors = 3, kChannels = 8, kRows = 4, kChannelVectors = 4,
                       kBlock = 128;
  static constexpr bool kLateWeights = false;
  static constexpr int64_t kPrecisions = 0;
  static constexpr int kDots = 16;
};
#include "../attention/kernels.inl.h"
}  // namespace selfsame::neon

const selfsame::Kernels selfsame::kNeonKernels = selfsame::neon::kKernels;
#endif
