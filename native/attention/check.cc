#include "check.h"

#include <algorithm>
#include <cmath>

namespace selfsame {
namespace {

/** Counts of rows, heads and channels fit the int32 that kernels count them with. */
constexpr int64_t kMostRows = 0x7fffffff;
constexpr int64_t kMostStride = int64_t{1} << 53;
/** Rows of all heads and items together; tasks are numbered below it. */
constexpr double kMostWork = 9007199254740992.0;
/** Blocks of every instruction set divide it (PAGE_KEYS of plan.ts). */
constexpr int64_t kPageKeys = 256;

/** Not by std::trunc, which is a call into libm where SSE4.1 may not be assumed. */
bool isInteger(double x) {
  return std::abs(x) <= 9007199254740991.0 && x == static_cast<double>(static_cast<int64_t>(x));
}

/** Sizes and strides, each within what kernels can count. */
std::string checkWords(const Plan& plan) {
  struct Limit {
    const char* name;
    int64_t Plan::*word;
    int64_t least, most;
  };
#define SELFSAME_LIMIT(name, least, most) \
  { #name, &Plan::name, least, most }
#define SELFSAME_STRIDES(tensor, third)                                                        \
  SELFSAME_LIMIT(tensor##Batch, 0, kMostStride), SELFSAME_LIMIT(tensor##Head, 0, kMostStride), \
      SELFSAME_LIMIT(tensor##third, 0, kMostStride)
  static constexpr Limit kLimits[] = {
      SELFSAME_LIMIT(batch, 0, kMostRows),
      SELFSAME_LIMIT(heads, 1, kMostRows),
      SELFSAME_LIMIT(kvHeads, 1, kMostRows),
      SELFSAME_LIMIT(queries, 0, kMostRows),
      SELFSAME_LIMIT(keys, 0, kMostRows),
      SELFSAME_LIMIT(headDim, 0, kMostRows),
      SELFSAME_LIMIT(valueDim, 0, kMostRows),
      SELFSAME_STRIDES(q, Row),
      SELFSAME_STRIDES(k, Row),
      SELFSAME_STRIDES(v, Row),
      SELFSAME_STRIDES(o, Row),
      SELFSAME_STRIDES(lse, Row),
      SELFSAME_STRIDES(keep, Row),
      SELFSAME_STRIDES(drop, Row),
      SELFSAME_STRIDES(bias, Row),
      SELFSAME_STRIDES(weights, Row),
      SELFSAME_LIMIT(massBatch, 0, kMostStride),
      SELFSAME_LIMIT(massHead, 0, kMostStride),
      SELFSAME_LIMIT(pageKeys, 0, kMostRows),
      SELFSAME_LIMIT(pagesPerItem, 0, kMostRows),
      SELFSAME_LIMIT(kPage, 0, kMostStride),
      SELFSAME_LIMIT(vPage, 0, kMostStride),
      SELFSAME_LIMIT(left, -kOpen, kOpen),
      SELFSAME_LIMIT(right, -kOpen, kOpen),
      SELFSAME_LIMIT(sinkTokens, 0, kMostRows),
      SELFSAME_LIMIT(qType, kFloat32, kBfloat16),
      SELFSAME_LIMIT(kvType, kFloat32, kInt8),
      SELFSAME_LIMIT(outType, kFloat32, kBfloat16),
      SELFSAME_LIMIT(biasType, kFloat32, kBfloat16),
      SELFSAME_LIMIT(scoresAt, kScaled, kMasked),
  };
#undef SELFSAME_STRIDES
#undef SELFSAME_LIMIT
  for (const Limit& limit : kLimits) {
    const int64_t value = plan.*limit.word;
    if (value >= limit.least && value <= limit.most) continue;
    return std::string("plan.") + limit.name + ": expected " + std::to_string(limit.least) + " to " +
           std::to_string(limit.most) + ", got " + std::to_string(value);
  }
  if (plan.heads % plan.kvHeads != 0) return "plan.kvHeads: does not divide heads";
  if (plan.pageKeys % kPageKeys != 0) return "plan.pageKeys: not a multiple of " + std::to_string(kPageKeys);
  if (plan.kvType == kInt8 && plan.pageKeys == 0) return "plan.kvType: int8 is in pages only";
  if ((plan.features & ~kFeatures) != 0) return "plan.features: not in these kernels";
  constexpr int64_t kOutputs = kOutput | kLse | kWeights | kScores | kMass;
  if ((plan.outputs & ~kOutputs) != 0) return "plan.outputs: not in these kernels";
  if ((plan.outputs & kMass) != 0 && (plan.outputs & kLse) == 0)
    return "plan.outputs: mass needs lse beside it";
  return {};
}

}  // namespace

std::string readPlan(const double* words, size_t count, Plan& plan) {
  if (count != kPlanWords) {
    return "plan: expected " + std::to_string(kPlanWords) + " words, got " + std::to_string(count);
  }
  const char* wrong = nullptr;
#define SELFSAME_READ_INTEGER(name)                  \
  if (const double word = *words++; isInteger(word)) \
    plan.name = static_cast<int64_t>(word);          \
  else if (wrong == nullptr)                         \
    wrong = #name;
#define SELFSAME_READ_REAL(name) plan.name = *words++;
  SELFSAME_PLAN_WORDS(SELFSAME_READ_INTEGER, SELFSAME_READ_REAL)
#undef SELFSAME_READ_INTEGER
#undef SELFSAME_READ_REAL
  return wrong == nullptr ? "" : std::string("plan.") + wrong + ": not an integer";
}

std::string checkItems(const Plan& plan, const std::vector<Item>& items) {
  const std::string complaint = checkWords(plan);
  if (!complaint.empty()) return complaint;
  if (static_cast<int64_t>(items.size()) != plan.batch) return "items: expected one per batch item";
  double work = 0;
  for (const Item& item : items) {
    const bool whole =
        item.queryFirst >= 0 && item.keyFirst >= 0 && item.queryRows >= 0 && item.keyBegin >= 0 &&
        item.queryRows <= item.queryTotal && item.keyEnd >= 0 && item.keyEnd <= item.keyTotal &&
        int64_t{item.queryFirst} + item.queryTotal <= plan.queries &&
        int64_t{item.keyFirst} + item.keyTotal <= plan.keys && (plan.pageKeys == 0 || item.keyFirst == 0);
    if (!whole) return "items: rows or keys outside the tensors";
    work += static_cast<double>(item.queryTotal) * static_cast<double>(plan.heads);
  }
  return work < kMostWork ? "" : "items: too many rows";
}

}  // namespace selfsame
