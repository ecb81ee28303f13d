#include <bit>
#include <cmath>
#include <cstring>

#include "../attention/call.h"
#include "../attention/phase.h"
#include "../simd/region.h"
#include "kernels.h"

namespace selfsame::scalar {
#include "../simd/scalar.h"
struct Tile {
  static constexpr const char* kIsa = "scalar";
  static constexpr int kKeys = 4, kQueryVectors = 2, kChannels = 4, kRows = 1, kChannelVectors = 7,
                       kBlock = 128;
  static constexpr bool kLateWeights = false;
  static constexpr int64_t kPrecisions = 0;
  static constexpr int kDots = 8;
};
#include "../attention/kernels.inl.h"
}  // namespace selfsame::scalar

const selfsame::Kernels selfsame::kScalarKernels = selfsame::scalar::kKernels;
