#include "check.h"

#include <algorithm>
#include <cmath>

namespace selfsame {
namespace {

/** Counts of rows, heads and channels fit the int32 that kernels count them with. */
constexpr int64_t kMostRows = 0x7fffffff;
/** Rows of all heads and items together; tasks are numbered below it. */
constexpr double kMostWork = 9007199254740992.0;

bool isInteger(double x) { return std::abs(x) <= 9007199254740991.0 && x == std::trunc(x); }

std::string readInteger(const char* name, double word, int64_t& field) {
  if (!isInteger(word)) return std::string("plan.") + name + ": not an integer";
  field = static_cast<int64_t>(word);
  return {};
}

std::string checkRange(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return {};
  return std::string("plan.") + name + ": expected " + std::to_string(least) + " to " + std::to_string(most) +
         ", got " + std::to_string(value);
}

/** A sum of index * stride that cannot wrap around: it sticks at the largest value. */
class Offset {
 public:
  Offset& add(int64_t index, int64_t stride) {
    const uint64_t i = static_cast<uint64_t>(index), s = static_cast<uint64_t>(stride);
    if (i != 0 && s > (kMost - total_) / i) {
      total_ = kMost;
    } else {
      total_ += i * s;
    }
    return *this;
  }
  uint64_t total() const { return total_; }

 private:
  static constexpr uint64_t kMost = UINT64_MAX;
  uint64_t total_ = 0;
};

template <class T>
std::string checkLast(const char* name, const Span<T>& array, const Offset& last) {
  if (array.data != nullptr && last.total() < array.length) return {};
  return std::string(name) + ": the plan reaches element " + std::to_string(last.total()) +
         ", the array has " + std::to_string(array.length);
}

}  // namespace

std::string readPlan(const double* words, size_t count, Plan& plan) {
  if (count != kPlanWords) {
    return "plan: expected " + std::to_string(kPlanWords) + " words, got " + std::to_string(count);
  }
  std::string complaint;
#define SELFSAME_READ_INTEGER(name) \
  if (complaint.empty()) complaint = readInteger(#name, *words++, plan.name);
#define SELFSAME_READ_REAL(name) plan.name = *words++;
  SELFSAME_PLAN_WORDS(SELFSAME_READ_INTEGER, SELFSAME_READ_REAL)
#undef SELFSAME_READ_INTEGER
#undef SELFSAME_READ_REAL
  return complaint;
}

std::string checkItems(const Plan& plan, const std::vector<Item>& items) {
  struct Limit {
    const char* name;
    int64_t value, least, most;
  };
  constexpr int64_t kStride = int64_t{1} << 53;
  const Limit limits[] = {
      {"batch", plan.batch, 0, kMostRows},
      {"heads", plan.heads, 1, kMostRows},
      {"kvHeads", plan.kvHeads, 1, plan.heads},
      {"queries", plan.queries, 0, kMostRows},
      {"keys", plan.keys, 0, kMostRows},
      {"headDim", plan.headDim, 0, kMostRows},
      {"valueDim", plan.valueDim, 0, kMostRows},
      {"qBatch", plan.qBatch, 0, kStride},
      {"qHead", plan.qHead, 0, kStride},
      {"qRow", plan.qRow, 0, kStride},
      {"kBatch", plan.kBatch, 0, kStride},
      {"kHead", plan.kHead, 0, kStride},
      {"kRow", plan.kRow, 0, kStride},
      {"vBatch", plan.vBatch, 0, kStride},
      {"vHead", plan.vHead, 0, kStride},
      {"vRow", plan.vRow, 0, kStride},
      {"oBatch", plan.oBatch, 0, kStride},
      {"oHead", plan.oHead, 0, kStride},
      {"oRow", plan.oRow, 0, kStride},
      {"lseBatch", plan.lseBatch, 0, kStride},
      {"lseHead", plan.lseHead, 0, kStride},
      {"lseRow", plan.lseRow, 0, kStride},
      {"left", plan.left, -kOpen, kOpen},
      {"right", plan.right, -kOpen, kOpen},
      {"qType", plan.qType, 0, 0},
      {"kvType", plan.kvType, 0, 0},
      {"outType", plan.outType, 0, 0},
      {"weightsBatch", plan.weightsBatch, 0, kStride},
      {"weightsHead", plan.weightsHead, 0, kStride},
      {"weightsRow", plan.weightsRow, 0, kStride},
  };
  for (const Limit& limit : limits) {
    const std::string complaint = checkRange(limit.name, limit.value, limit.least, limit.most);
    if (!complaint.empty()) return complaint;
  }
  if (plan.heads % plan.kvHeads != 0) return "plan.kvHeads: does not divide heads";
  if ((plan.features & ~kFeatures) != 0) return "plan.features: not in these kernels";
  if ((plan.outputs & ~(kOutput | kLse | kWeights)) != 0) return "plan.outputs: not in these kernels";
  if (static_cast<int64_t>(items.size()) != plan.batch) return "items: expected one per batch item";
  double work = 0;
  for (const Item& item : items) {
    const bool whole = item.queryFirst >= 0 && item.keyFirst >= 0 && item.queryRows >= 0 &&
                       item.keyBegin >= 0 && item.queryRows <= item.queryTotal && item.keyEnd >= 0 &&
                       int64_t{item.queryFirst} + item.queryTotal <= plan.queries &&
                       int64_t{item.keyFirst} + item.keyEnd <= plan.keys;
    if (!whole) return "items: rows or keys outside the tensors";
    work += static_cast<double>(item.queryTotal) * static_cast<double>(plan.heads);
  }
  return work < kMostWork ? "" : "items: too many rows";
}

std::string checkSpans(const Call& call) {
  const Plan& plan = call.plan;
  const int32_t lastSelected = call.rows.empty() ? -1 : *std::max_element(call.rows.begin(), call.rows.end());
  if (!call.rows.empty() && *std::min_element(call.rows.begin(), call.rows.end()) < 0)
    return "rows: negative";
  std::string complaint;
  const auto expect = [&complaint](const char* name, const auto& array, const Offset& last) {
    if (complaint.empty()) complaint = checkLast(name, array, last);
  };
  for (int64_t b = 0; b < plan.batch && complaint.empty(); ++b) {
    const Item& item = call.items[b];
    if (lastSelected >= item.queryTotal) return "rows: a row that an item does not have";
    if (item.queryTotal == 0) continue;
    const int64_t lastQuery = int64_t{item.queryFirst} + item.queryTotal - 1;
    const int64_t lastKey = int64_t{item.keyFirst} + item.keyEnd - 1;
    const auto at = [b](int64_t batch, int64_t heads, int64_t head, int64_t row, int64_t stride) {
      return Offset().add(b, batch).add(heads - 1, head).add(row, stride);
    };
    if (plan.headDim > 0) {
      expect("q", call.q,
             at(plan.qBatch, plan.heads, plan.qHead, lastQuery, plan.qRow).add(plan.headDim - 1, 1));
    }
    if (plan.headDim > 0 && item.keyEnd > 0) {
      expect("k", call.k,
             at(plan.kBatch, plan.kvHeads, plan.kHead, lastKey, plan.kRow).add(plan.headDim - 1, 1));
    }
    if (plan.valueDim > 0 && (plan.outputs & kOutput) != 0) {
      if (item.keyEnd > 0) {
        expect("v", call.v,
               at(plan.vBatch, plan.kvHeads, plan.vHead, lastKey, plan.vRow).add(plan.valueDim - 1, 1));
      }
      expect("out", call.out,
             at(plan.oBatch, plan.heads, plan.oHead, lastQuery, plan.oRow).add(plan.valueDim - 1, 1));
    }
    if ((plan.outputs & kLse) != 0) {
      expect("lse", call.lse, at(plan.lseBatch, plan.heads, plan.lseHead, lastQuery, plan.lseRow));
    }
    const int64_t lastSlot = call.hasRows ? static_cast<int64_t>(call.rows.size()) - 1 : lastQuery;
    if ((plan.outputs & kWeights) != 0 && lastSlot >= 0 && plan.keys > 0) {
      expect("weights", call.weights,
             at(plan.weightsBatch, plan.heads, plan.weightsHead, lastSlot, plan.weightsRow)
                 .add(plan.keys - 1, 1));
    }
  }
  return complaint;
}

}  // namespace selfsame
