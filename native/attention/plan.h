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

enum Output : int64_t { kOutput = 1, kLse = 2, kWeights = 4 };

/** Bits of Feature (plan.ts) that these kernels have. */
constexpr int64_t kFeatures = 1 << 7;  // weights

/** The keys [begin, end) that one query row attends to. */
struct KeyRange {
  int32_t begin;
  int32_t end;
};

/** No key: of an end that is never large and a begin that is never small, so that unions pass it over. */
constexpr KeyRange kNoKeys{INT32_MAX, 0};

inline KeyRange rowRange(const Plan& plan, const Item& item, int64_t row) {
  const int64_t position = item.position + row;
  int64_t begin = item.keyBegin, end = item.keyEnd;
  if (plan.left != kOpen && position - plan.left > begin) begin = position - plan.left;
  if (plan.right != kOpen && position + plan.right + 1 < end) end = position + plan.right + 1;
  if (end <= begin) return kNoKeys;
  return {static_cast<int32_t>(begin), static_cast<int32_t>(end)};
}

}  // namespace selfsame
