/** Cuts a call into tasks and runs them. */
#pragma once
#include "call.h"

namespace selfsame {

/** How a call is cut. Bits of the results do not depend on it. */
struct Schedule {
  /** Stacked query rows of one task. */
  int64_t rows;
  /** The most rows of any task. */
  int64_t workspaceRows;
  int64_t tasks;
  /** Chunks of keys of the item that has most; 0 where none is decoded. */
  int64_t split;
  /** Whether some item is not decoded. */
  bool prefills;
  /** What chunks leave for each other, once per call; a plan that lies may ask for any number. */
  double partialBytes;
  /** Of every item. */
  std::vector<Chunks> chunks;
  /** Threads that are worth waking, at most those allowed. */
  int threads;
};

/** For `selected`: no rows are selected, so that what is shown is shown of all. */
constexpr int64_t kAllRows = -1;

Schedule schedule(const Plan& plan, const std::vector<Item>& items, int64_t selected, const Kernels& kernels,
                  int threads);

constexpr char kOutOfMemory[] = "out of memory for the scratch of a thread";

/** Runs a checked call; false where a thread is out of memory. The call holds what its passes share. */
bool runCall(Call& call, const Kernels& kernels, const Schedule& how);
bool runCall(Call& call, const Kernels& kernels, int threads);

}  // namespace selfsame
