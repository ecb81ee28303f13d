/**
 * Few query rows against many keys: which items are taken so, and how their keys are cut. Both follow from
 * the item's own lengths and the plan alone, so that no thread and no neighbour shows in a result.
 */
#pragma once
#include <algorithm>

#include "plan.h"

namespace selfsame {

/** The most query rows, and stacked rows, that are taken so. */
constexpr int64_t kDecodeQueries = 16;
constexpr int64_t kDecodeRows = 64;
/** Keys of one chunk, counted from key 0: whole pages and blocks. */
constexpr int64_t kChunkKeys = 1024;
/** Floats that rows of partial results are padded to. */
constexpr int64_t kPartialFloats = 16;

/** Chunks [first, first + count). */
struct Chunks {
  int64_t first;
  int64_t count;

  /** One that is alone writes its results itself. */
  bool merge() const { return count > 1; }
};

/** The chunks that hold keys of an item's rows; none where the item is not for the decode kernels. */
inline Chunks chunksOf(const Plan& plan, const Item& item) {
  const int64_t rows = item.queryRows;
  if (rows > kDecodeQueries || rows * (plan.heads / plan.kvHeads) > kDecodeRows) return {0, 0};
  if ((plan.outputs & (kOutput | kLse)) == 0) return {0, 0};
  int64_t begin = kNoKeys.begin, end = kNoKeys.end;
  for (int64_t row = 0; row < rows; ++row) {
    const KeyRange range = rowRange(plan, item, row);
    begin = std::min<int64_t>(begin, range.begin);
    end = std::max<int64_t>(end, range.end);
  }
  if (end <= begin) return {0, 0};
  const int64_t first = begin / kChunkKeys;
  return {first, (end + kChunkKeys - 1) / kChunkKeys - first};
}

/** Rows as chunks leave them: an unnormalised output, then the reference and the sum of its weights. */
inline int64_t partialStride(const Plan& plan) {
  const int64_t channels = (plan.outputs & kOutput) != 0 ? plan.valueDim : 0;
  return (channels + 2 + kPartialFloats - 1) / kPartialFloats * kPartialFloats;
}

/** What all chunks of one item and key/value head leave. */
struct Partials {
  float* data = nullptr;
  int64_t chunks = 0;
  int64_t rows = 0;
  int64_t stride = 0;

  float* row(int64_t chunk, int64_t row) const { return data + (chunk * rows + row) * stride; }
  float& reference(int64_t chunk, int64_t at) const { return row(chunk, at)[stride - 2]; }
  float& sum(int64_t chunk, int64_t at) const { return row(chunk, at)[stride - 1]; }
};

}  // namespace selfsame
