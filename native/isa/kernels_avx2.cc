#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../attention/call.h"
#include "../attention/phase.h"
#include "../simd/region.h"
#include "kernels.h"

SELFSAME_OPEN_REGION("avx2,fma,f16c")
namespace selfsame::avx2 {
#include "../simd/avx2.h"
#include "../simd/avx2_low.h"
struct Tile {
  static constexpr const char* kIsa = "avx2";
  static constexpr int kKeys = 4, kQueryVectors = 3, kChannels = 4, kRows = 4, kChannelVectors = 3,
                       kBlock = 256;
  static constexpr bool kLateWeights = false;
  static constexpr int64_t kPrecisions = kAsInt16;
  using Int16 = Int16Plain;
  static constexpr int kDots = 8;
};
#include "../attention/kernels.inl.h"
}  // namespace selfsame::avx2
SELFSAME_CLOSE_REGION

const selfsame::Kernels selfsame::kAvx2Kernels = selfsame::avx2::kKernels;
#endif
