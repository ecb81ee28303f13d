#include <bit>

#include "../simd/region.h"
#include "isa.h"

namespace selfsame::scalar {
#include "../simd/scalar.h"
#include "probes.inl.h"
}  // namespace selfsame::scalar

const selfsame::Probes selfsame::kScalarProbes = selfsame::scalar::kProbes;
