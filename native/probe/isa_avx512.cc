#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "../simd/region.h"
#include "isa.h"

SELFSAME_OPEN_REGION("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")
namespace selfsame::avx512 {
#include "../simd/avx512.h"
#include "probes.inl.h"
}  // namespace selfsame::avx512
SELFSAME_CLOSE_REGION

const selfsame::Probes selfsame::kAvx512Probes = selfsame::avx512::kProbes;
#endif
