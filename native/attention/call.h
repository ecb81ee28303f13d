/** A checked call, and what a backend's kernels offer to run it. */
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

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
  /** Items and rows are copies, so that nothing a caller does later can undo their checks. */
  std::vector<Item> items;
  std::vector<int32_t> rows;
  bool hasRows = false;
  Span<const float> q, k, v;
  Span<float> out, lse, weights;
  /** Not 0 once the caller has lost interest; null where it cannot. */
  std::atomic<int32_t>* stop = nullptr;

  int64_t group() const { return plan.heads / plan.kvHeads; }
  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed) != 0; }
};

/**
 * Query rows that share one key/value head, in the order row-major, head of the group minor:
 * stacked row r is query row r / group of head kvHead * group + r % group.
 * Where `selected`, the rows are entries of Call::rows and only their weights are wanted.
 */
struct Task {
  int64_t item;
  int64_t kvHead;
  int64_t first;
  int64_t count;
  bool selected;
};

/** The kernels of one instruction set. */
struct Kernels {
  const char* isa;
  int tileQueries;
  int tileKeys;
  /** Keys of one block; blocks begin at multiples of it, counted from key 0. */
  int block;
  size_t (*workspaceBytes)(const Plan& plan, int64_t rows);
  void (*run)(const Call& call, const Task& task, void* workspace);
};

}  // namespace selfsame
