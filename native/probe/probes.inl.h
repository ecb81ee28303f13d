/** The measuring loops of one instruction set. */
// clang-format off
#include "peak.inl.h"
#include "bandwidth.inl.h"
// clang-format on

static constexpr Probes kProbes{
    2 * kChains * V::kLanes, multiplyAdd, kLoads* V::kLanes, {read<1>, read<2>, read<4>}};
