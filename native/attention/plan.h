/** The plan of a call as the kernels read it. src/attention/plan.ts says what every word means. */
#pragma once
#include <cmath>
#include <cstdint>

/** Names and order are those of PLAN_WORDS; a test compares the lists. */
// clang-format off
#define SELFSAME_PLAN_WORDS(integer, real) \
  integer(batch) \
  integer(heads) \
  integer(kvHeads) \
  integer(queries) \
  integer(keys) \
  integer(headDim) \
  integer(valueDim) \
  integer(qBatch) \
  integer(qHead) \
  integer(qRow) \
  integer(kBatch) \
  integer(kHead) \
  integer(kRow) \
  integer(vBatch) \
  integer(vHead) \
  integer(vRow) \
  integer(pageKeys) \
  integer(pagesPerItem) \
  integer(kPage) \
  integer(vPage) \
  integer(oBatch) \
  integer(oHead) \
  integer(oRow) \
  integer(lseBatch) \
  integer(lseHead) \
  integer(lseRow) \
  real(scale) \
  real(softcap) \
  integer(left) \
  integer(right) \
  integer(sinkTokens) \
  integer(qType) \
  integer(kvType) \
  integer(outType) \
  integer(biasType) \
  integer(keepBatch) \
  integer(keepHead) \
  integer(keepRow) \
  integer(keepKey) \
  integer(keepBits) \
  integer(dropBatch) \
  integer(dropHead) \
  integer(dropRow) \
  integer(dropKey) \
  integer(dropBits) \
  integer(biasBatch) \
  integer(biasHead) \
  integer(biasRow) \
  integer(biasKey) \
  integer(weightsBatch) \
  integer(weightsHead) \
  integer(weightsRow) \
  integer(massBatch) \
  integer(massHead) \
  integer(outputs) \
  integer(scoresAt) \
  integer(features) \
  integer(threads)
// clang-format on

namespace selfsame {

#define SELFSAME_INTEGER_FIELD(name) int64_t name;
#define SELFSAME_REAL_FIELD(name) double name;
struct Plan {
  SELFSAME_PLAN_WORDS(SELFSAME_INTEGER_FIELD, SELFSAME_REAL_FIELD)
};
#undef SELFSAME_INTEGER_FIELD
#undef SELFSAME_REAL_FIELD

#define SELFSAME_COUNT_WORD(name) +1
constexpr int kPlanWords = 0 SELFSAME_PLAN_WORDS(SELFSAME_COUNT_WORD, SELFSAME_COUNT_WORD);
#undef SELFSAME_COUNT_WORD

/** One sequence of the batch, as ITEM_WORDS lists it. */
struct Item {
  int32_t queryFirst;
  int32_t queryTotal;
  int32_t queryRows;
  int32_t keyFirst;
  int32_t keyTotal;
  int32_t keyBegin;
  int32_t keyEnd;
  int32_t position;
};
constexpr int kItemWords = sizeof(Item) / sizeof(int32_t);

/** A window edge that is open. */
constexpr int64_t kOpen = 0x7fffffff;

enum Output : int64_t { kOutput = 1, kLse = 2, kWeights = 4, kScores = 8, kMass = 16 };
enum ScoresAt : int64_t { kScaled, kCapped, kMasked };

/** Bits of Feature (plan.ts) that say which optional arrays a call has. */
enum Feature : int64_t { kBias = 1 << 1, kKeep = 1 << 2, kDrop = 1 << 3, kAlibi = 1 << 4, kSinks = 1 << 5 };

/** All bits of Feature, and those of them that are precisions below float32. */
constexpr int64_t kFeatures = (1 << 14) - 1;
enum Precision : int64_t { kAsInt16 = 1 << 10, kAsBfloat16 = 1 << 11, kAsInt8 = 1 << 12 };
constexpr int64_t kPrecisions = kAsInt16 | kAsBfloat16 | kAsInt8;

/** Storage of tensors, as plan.ts numbers it; int8 in pages alone. */
enum Storage : int64_t { kFloat32, kFloat16, kBfloat16, kInt8 };

constexpr int64_t bytesOf(int64_t storage) { return storage == kFloat32 ? 4 : storage == kInt8 ? 1 : 2; }

/** Bytes of the scale of a row of int8; those of a page's rows follow its codes, head by head. */
constexpr int64_t kScaleBytes = 4;

/**
 * The keys that one query row attends to by position: [begin, end) without the gap [gapBegin, gapEnd), which
 * is empty but for rows that see an item's first keys behind their window.
 */
struct KeyRange {
  int32_t begin;
  int32_t end;
  int32_t gapBegin;
  int32_t gapEnd;
};

/** No key: of an end that is never large and a begin that is never small, so that unions pass it over. */
constexpr KeyRange kNoKeys{INT32_MAX, 0, INT32_MAX, INT32_MAX};

inline KeyRange rowRange(const Plan& plan, const Item& item, int64_t row) {
  const int64_t position = item.position + row;
  int64_t low = item.keyBegin, end = item.keyEnd;
  if (plan.left != kOpen && position - plan.left > low) low = position - plan.left;
  if (plan.right != kOpen && position + plan.right + 1 < end) end = position + plan.right + 1;
  const int64_t sinkEnd = plan.sinkTokens < end ? plan.sinkTokens : end;
  int64_t begin = low;
  if (item.keyBegin < sinkEnd) {
    begin = item.keyBegin;
    if (end <= low) end = sinkEnd;
  }
  if (end <= begin) return kNoKeys;
  const bool gap = begin < low && sinkEnd < low && low < end;
  return {static_cast<int32_t>(begin), static_cast<int32_t>(end), static_cast<int32_t>(gap ? sinkEnd : begin),
          static_cast<int32_t>(gap ? low : begin)};
}

}  // namespace selfsame
