#include <algorithm>

#include "check.h"

namespace selfsame {
namespace {

/** Codes of int8 are read by whole vectors, into the scales behind them. */
constexpr int64_t kMostLanes = 16;

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

/** Holds the last element that kernels reach in each array against its length, and keeps the first complaint.
 */
class Spans {
 public:
  explicit Spans(const Call& call) : call_(call), plan_(call.plan) {}

  std::string check() {
    if (!call_.rows.empty() && *std::min_element(call_.rows.begin(), call_.rows.end()) < 0)
      return "rows: negative";
    const int32_t lastRow = call_.rows.empty() ? -1 : *std::max_element(call_.rows.begin(), call_.rows.end());
    checkHeads();
    for (int64_t b = 0; b < plan_.batch && complaint_.empty(); ++b) {
      const Item& item = call_.items[b];
      if (lastRow >= item.queryTotal) return "rows: a row that an item does not have";
      checkRows(b, item);
      checkKeys(b, item);
    }
    return complaint_;
  }

 private:
  template <class T>
  void expect(const char* name, const Span<T>& array, const Offset& last) {
    if (!complaint_.empty() || (array.data != nullptr && last.total() < array.length)) return;
    complaint_ = std::string(name) + ": the plan reaches element " + std::to_string(last.total()) +
                 ", the array has " + std::to_string(array.length);
  }

  Offset at(int64_t b, int64_t batch, int64_t heads, int64_t head, int64_t row, int64_t stride) const {
    return Offset().add(b, batch).add(heads - 1, head).add(row, stride);
  }

  /** An option that the plan speaks of has its array: one that was detached must not pass for none. */
  template <class T>
  void expectGiven(const char* name, int64_t feature, const Span<T>& array) {
    if (complaint_.empty() && (plan_.features & feature) != 0 && array.data == nullptr) {
      complaint_ = std::string(name) + ": absent or detached";
    }
  }

  void checkHeads() {
    if (plan_.batch == 0 || plan_.queries == 0 || plan_.keys == 0) return;
    expectGiven("bias", kBias, call_.bias);
    expectGiven("keep", kKeep, call_.keep);
    expectGiven("drop", kDrop, call_.drop);
    expectGiven("alibi", kAlibi, call_.alibi);
    expectGiven("sinks", kSinks, call_.sinks);
    if (call_.alibi.data != nullptr) expect("alibi", call_.alibi, Offset().add(plan_.heads - 1, 1));
    if (call_.sinks.data != nullptr) expect("sinks", call_.sinks, Offset().add(plan_.heads - 1, 1));
  }

  /** What is read and written for every query row. */
  void checkRows(int64_t b, const Item& item) {
    if (item.queryTotal == 0) return;
    const int64_t last = int64_t{item.queryFirst} + item.queryTotal - 1;
    if (plan_.headDim > 0) {
      expect("q", call_.q,
             at(b, plan_.qBatch, plan_.heads, plan_.qHead, last, plan_.qRow).add(plan_.headDim - 1, 1));
    }
    if (plan_.valueDim > 0 && call_.wants(kOutput)) {
      expect("out", call_.out,
             at(b, plan_.oBatch, plan_.heads, plan_.oHead, last, plan_.oRow).add(plan_.valueDim - 1, 1));
    }
    if (call_.wants(kLse)) {
      expect("lse", call_.lse, at(b, plan_.lseBatch, plan_.heads, plan_.lseHead, last, plan_.lseRow));
    }
    if (plan_.keys == 0) return;
    if (call_.keep.data != nullptr) {
      checkMask("keep", call_.keep, plan_.keepBits, plan_.keepKey,
                at(b, plan_.keepBatch, plan_.heads, plan_.keepHead, last, plan_.keepRow));
    }
    if (call_.drop.data != nullptr) {
      checkMask("drop", call_.drop, plan_.dropBits, plan_.dropKey,
                at(b, plan_.dropBatch, plan_.heads, plan_.dropHead, last, plan_.dropRow));
    }
    if (call_.bias.data != nullptr) {
      checkMask("bias", call_.bias, 0, plan_.biasKey,
                at(b, plan_.biasBatch, plan_.heads, plan_.biasHead, last, plan_.biasRow));
    }
    const int64_t lastSlot = call_.hasRows ? static_cast<int64_t>(call_.rows.size()) - 1 : last;
    if (lastSlot < 0) return;
    const Offset shown = at(b, plan_.weightsBatch, plan_.heads, plan_.weightsHead, lastSlot, plan_.weightsRow)
                             .add(plan_.keys - 1, 1);
    if (call_.wants(kWeights)) expect("weights", call_.weights, shown);
    if (call_.wants(kScores)) expect("scores", call_.scores, shown);
  }

  /** A row of a mask holds all keys of the tensor, side by side. */
  void checkMask(const char* name, const Span<const void>& mask, int64_t bits, int64_t key, Offset last) {
    if (complaint_.empty() && key != 1) complaint_ = std::string("plan.") + name + "Key: expected 1";
    expect(name, mask, last.add(bits != 0 ? (plan_.keys - 1) / 32 : plan_.keys - 1, 1));
  }

  /** What is read and written for every key. */
  void checkKeys(int64_t b, const Item& item) {
    if (item.keyTotal == 0) return;
    if (call_.wants(kMass)) {
      expect(
          "mass", call_.mass,
          at(b, plan_.massBatch, plan_.heads, plan_.massHead, int64_t{item.keyFirst} + item.keyTotal - 1, 1));
    }
    const bool values = plan_.valueDim > 0 && call_.wants(kOutput);
    if (plan_.pageKeys != 0) {
      checkPages(b, item, values);
      return;
    }
    const int64_t last = int64_t{item.keyFirst} + item.keyTotal - 1;
    if (plan_.headDim > 0) {
      expect("k", call_.k,
             at(b, plan_.kBatch, plan_.kvHeads, plan_.kHead, last, plan_.kRow).add(plan_.headDim - 1, 1));
    }
    if (values) {
      expect("v", call_.v,
             at(b, plan_.vBatch, plan_.kvHeads, plan_.vHead, last, plan_.vRow).add(plan_.valueDim - 1, 1));
    }
  }

  /** Every page an item names, or -1: a page that is not there is passed over. */
  void checkPages(int64_t b, const Item& item, bool values) {
    const int64_t count = (item.keyTotal + plan_.pageKeys - 1) / plan_.pageKeys;
    const Offset last = Offset().add(b, plan_.pagesPerItem).add(count - 1, 1);
    if (count > plan_.pagesPerItem || last.total() >= call_.pages.size()) {
      if (complaint_.empty()) complaint_ = "pages: fewer than the keys need";
      return;
    }
    for (int64_t i = 0; i < count && complaint_.empty(); ++i) {
      const int64_t page = call_.pages[b * plan_.pagesPerItem + i];
      if (page < -1) complaint_ = "pages: a page below -1";
      if (page < 0) continue;
      if (plan_.headDim > 0)
        expectPage("k", call_.k, page, plan_.kPage, plan_.kHead, plan_.kRow, plan_.headDim);
      if (values) expectPage("v", call_.v, page, plan_.vPage, plan_.vHead, plan_.vRow, plan_.valueDim);
    }
  }

  /** All rows of a page, and in int8 the scales behind them. */
  void expectPage(const char* name, const Span<const void>& array, int64_t page, int64_t stride, int64_t head,
                  int64_t row, int64_t channels) {
    const int64_t codes = plan_.kvType == kInt8 ? channels + kMostLanes : channels;
    expect(name, array, at(page, stride, plan_.kvHeads, head, plan_.pageKeys - 1, row).add(codes - 1, 1));
    if (plan_.kvType != kInt8) return;
    expect(
        name, array,
        at(page, stride, plan_.kvHeads, head, plan_.pageKeys, row).add(plan_.pageKeys * kScaleBytes - 1, 1));
  }

  const Call& call_;
  const Plan& plan_;
  std::string complaint_;
};

}  // namespace

std::string checkSpans(const Call& call) { return Spans(call).check(); }

}  // namespace selfsame
