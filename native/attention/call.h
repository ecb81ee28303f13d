/** A checked call, and what a backend's kernels offer to run it. */
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "decode.h"
#include "plan.h"

namespace selfsame {

/** An array of the caller; data is null where there is none. */
template <class T>
struct Span {
  T* data = nullptr;
  size_t length = 0;
};

struct Call {
  Plan plan;
  /** Items, rows and pages are copies, so that nothing a caller does later can undo their checks. */
  std::vector<Item> items;
  std::vector<int32_t> rows;
  std::vector<int32_t> pages;
  bool hasRows = false;
  /** Elements of the storage type that the plan names. */
  Span<const void> q, k, v, bias;
  Span<void> out;
  /** Bytes, or words of 32 bits where the plan says so. */
  Span<const void> keep, drop;
  Span<const float> alibi, sinks;
  Span<float> lse, weights, scores, mass;
  /** Reference and 1 / sum of every row, as lse is laid out: what the sums per key need of the first pass. */
  float* references = nullptr;
  float* inverses = nullptr;
  /** Not 0 once the caller has lost interest; null where it cannot. */
  std::atomic<int32_t>* stop = nullptr;

  int64_t group() const { return plan.heads / plan.kvHeads; }
  bool wants(Output output) const { return (plan.outputs & output) != 0; }
  bool has(Feature feature) const { return (plan.features & feature) != 0; }
  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed) != 0; }
};

/** What a task is for. */
enum class Purpose {
  /** Outputs and lse of the query rows [first, first + count). */
  kAttend,
  /** What the keys of one chunk make of the query rows [0, count), left in Task::partials. */
  kDecode,
  /** Outputs and lse of these rows from what all chunks left. */
  kMerge,
  /** What is shown of the rows [first, first + count), or entries of Call::rows where it has any. */
  kShow,
  /** Sums of the weights over all shown rows, for the keys of block `first`. */
  kSum
};

/**
 * Rows that share one key/value head are stacked row-major, head of the group minor: stacked row r is query
 * row r / group of head `head` + r % group. A sum has one head to itself.
 */
struct Task {
  Purpose purpose;
  int64_t item;
  int64_t kvHead;
  int64_t head;
  int64_t group;
  int64_t first;
  int64_t count;
  /** Of kDecode and kMerge: the chunk, as a number among all and among those of the rows. */
  int64_t chunk = 0;
  int64_t place = 0;
  Partials partials{};

  /** Whether it is about what a call shows of rows it may select, instead of results. */
  bool shows() const { return purpose == Purpose::kShow || purpose == Purpose::kSum; }
};

/** The kernels of one instruction set. */
struct Kernels {
  const char* isa;
  int tileQueries;
  int tileKeys;
  /** Keys of one block; blocks begin at multiples of it, counted from key 0. */
  int block;
  /** Bits of the precisions below float32 that they have, if the CPU does. */
  int64_t precisions;
  size_t (*workspaceBytes)(const Plan& plan, int64_t rows);
  void (*run)(const Call& call, const Task& task, int64_t mostRows, void* workspace);
};

}  // namespace selfsame
