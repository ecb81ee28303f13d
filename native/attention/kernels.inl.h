/** The kernels of one instruction set, in the order in which they build on each other. */
// clang-format off
#include "storage.inl.h"
#include "workspace.inl.h"
#include "rows.inl.h"
#include "block.inl.h"
#include "scores.inl.h"
#include "power.inl.h"
#include "bias.inl.h"
#include "masks.inl.h"
#include "softmax.inl.h"
#include "dots.inl.h"
#include "weigh.inl.h"
#include "product.inl.h"
#include "fewproduct.inl.h"
#include "show.inl.h"
#include "finish.inl.h"
#include "chunk.inl.h"
#include "attend.inl.h"
#include "low/packed.inl.h"
#include "low/precisions.inl.h"
#include "low/queries.inl.h"
#include "low/keys.inl.h"
#include "low/scores.inl.h"
#include "low/values.inl.h"
#include "low/product.inl.h"
#include "low/attend.inl.h"
#include "task.inl.h"
// clang-format on

static constexpr Kernels kKernels{
    Tile::kIsa, Tile::kQueryVectors* V::kLanes, Tile::kKeys, Tile::kBlock, Tile::kPrecisions, workspaceBytes,
    run};
