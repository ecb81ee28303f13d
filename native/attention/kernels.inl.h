/** The kernels of one instruction set, in the order in which they build on each other. */
// clang-format off
#include "workspace.inl.h"
#include "scores.inl.h"
#include "softmax.inl.h"
#include "product.inl.h"
#include "weights.inl.h"
#include "task.inl.h"
// clang-format on

static constexpr Kernels kKernels{
    Tile::kIsa, Tile::kQueryVectors* V::kLanes, Tile::kKeys, Tile::kBlock, workspaceBytes, run};
