#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../attention/call.h"
#include "../attention/phase.h"
#include "../simd/region.h"
#include "kernels.h"

SELFSAME_OPEN_REGION("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")
namespace selfsame::avx512 {
#include "../simd/avx512.h"
#include "../simd/avx512_low.h"
struct Tile {
  static constexpr const char* kIsa = "avx512";
  static constexpr int kKeys = 8, kQueryVectors = 2, kChannels = 8, kRows = 8, kChannelVectors = 2,
                       kBlock = 256;
  static constexpr bool kLateWeights = true;
  static constexpr int64_t kPrecisions = kAsInt16 | kAsInt8 | kAsBfloat16;
  using Int16 = Int16Vnni;
  using Int8 = Int8Vnni;
  using Bfloat16 = avx512::Bfloat16;
  static constexpr int kDots = 16;
};
#include "../attention/kernels.inl.h"
}  // namespace selfsame::avx512
SELFSAME_CLOSE_REGION

const selfsame::Kernels selfsame::kAvx512Kernels = selfsame::avx512::kKernels;
#endif
