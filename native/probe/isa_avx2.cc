#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "../simd/region.h"
#include "isa.h"

SELFSAME_OPEN_REGION("avx2,fma,f16c")
namespace selfsame::avx2 {
#include "../simd/avx2.h"
#include "probes.inl.h"
}  // namespace selfsame::avx2
SELFSAME_CLOSE_REGION

const selfsame::Probes selfsame::kAvx2Probes = selfsame::avx2::kProbes;
#endif
