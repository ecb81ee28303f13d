#include "driver.h"

#include <algorithm>

#include "../runtime/pool.h"
#include "../runtime/scratch.h"

namespace selfsame {
namespace {

/** Rows of a task: enough that a block of K and V read from memory is used often, their queries in half of a
 * small L2. */
constexpr int64_t kTaskRows = 384;
constexpr int64_t kTaskQueryFloats = 1 << 16;
/** Tasks per thread that even out their unequal lengths. */
constexpr int64_t kTasksPerThread = 4;
/** Multiply-adds worth waking a thread for: 40 us with AVX-512; a woken thread starts after 28 us (2-core
 * VM). */
constexpr double kWorkPerThread = 1 << 22;

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/** Tasks of one item and key/value head: first those of all rows, then those of the selected ones. */
struct Cut {
  int64_t rowTasks;
  int64_t selectedTasks;
};

Cut cut(const Plan& plan, const Item& item, int64_t selectedRows, int64_t rows) {
  const int64_t group = plan.heads / plan.kvHeads;
  return {ceilDivide(item.queryTotal * group, rows), ceilDivide(selectedRows * group, rows)};
}

int64_t countTasks(const Plan& plan, const std::vector<Item>& items, int64_t selectedRows, int64_t rows) {
  int64_t count = 0;
  for (const Item& item : items) {
    const Cut each = cut(plan, item, selectedRows, rows);
    count += (each.rowTasks + each.selectedTasks) * plan.kvHeads;
  }
  return count;
}

/** What threads share while they run a call. */
struct Run {
  const Call& call;
  const Kernels& kernels;
  const Schedule& schedule;
  /** First task of every item. */
  std::vector<int64_t> firstTask;
  std::atomic<bool> outOfMemory{false};
};

Task taskAt(const Run& run, int64_t index) {
  const Call& call = run.call;
  const int64_t group = call.group();
  const auto after = std::upper_bound(run.firstTask.begin(), run.firstTask.end(), index);
  const int64_t item = after - run.firstTask.begin() - 1;
  const Cut each =
      cut(call.plan, call.items[item], static_cast<int64_t>(call.rows.size()), run.schedule.rows);
  const int64_t perHead = each.rowTasks + each.selectedTasks;
  const int64_t within = (index - run.firstTask[item]) % perHead;
  const bool selected = within >= each.rowTasks;
  const int64_t all =
      (selected ? static_cast<int64_t>(call.rows.size()) : call.items[item].queryTotal) * group;
  const int64_t first = (selected ? within - each.rowTasks : within) * run.schedule.rows;
  return {item, (index - run.firstTask[item]) / perHead, first, std::min(run.schedule.rows, all - first),
          selected};
}

void runTask(void* context, int64_t index) {
  Run& run = *static_cast<Run*>(context);
  if (run.call.stopped() || run.outOfMemory.load(std::memory_order_relaxed)) return;
  const Task task = taskAt(run, index);
  void* workspace = threadScratch(run.kernels.workspaceBytes(run.call.plan, run.schedule.rows));
  if (workspace == nullptr) {
    run.outOfMemory.store(true, std::memory_order_relaxed);
    return;
  }
  run.kernels.run(run.call, task, workspace);
}

}  // namespace

Schedule schedule(const Plan& plan, const std::vector<Item>& items, int64_t selectedRows,
                  const Kernels& kernels, int threads) {
  double work = 0;
  int64_t most = 1;
  for (const Item& item : items) {
    const double rows = static_cast<double>(std::max<int64_t>(item.queryRows, selectedRows));
    work += rows * std::max(0, item.keyEnd - item.keyBegin);
    most = std::max(
        {most, item.queryTotal * plan.heads / plan.kvHeads, selectedRows * plan.heads / plan.kvHeads});
  }
  work *= static_cast<double>(plan.heads) * static_cast<double>(plan.headDim + plan.valueDim);
  threads = static_cast<int>(std::min<double>(threads, 1 + work / kWorkPerThread));

  int64_t rows = std::min({kTaskRows, most, kTaskQueryFloats / std::max<int64_t>(plan.headDim, 1)});
  rows = std::max<int64_t>(rows, std::min<int64_t>(most, kernels.tileQueries));
  while (threads > 1 && rows >= 2 * kernels.tileQueries &&
         countTasks(plan, items, selectedRows, rows) < kTasksPerThread * threads) {
    rows = ceilDivide(rows / 2, kernels.tileQueries) * kernels.tileQueries;
  }
  return {rows, countTasks(plan, items, selectedRows, rows), threads};
}

bool runCall(const Call& call, const Kernels& kernels, int threads) {
  const int64_t selected = static_cast<int64_t>(call.rows.size());
  const Schedule how = schedule(call.plan, call.items, selected, kernels, threads);
  Run run{call, kernels, how, {}};
  run.firstTask.reserve(call.items.size());
  int64_t first = 0;
  for (const Item& item : call.items) {
    run.firstTask.push_back(first);
    const Cut each = cut(call.plan, item, selected, how.rows);
    first += (each.rowTasks + each.selectedTasks) * call.plan.kvHeads;
  }
  inParallel(how.threads, how.tasks, runTask, &run);
  return !run.outOfMemory.load();
}

}  // namespace selfsame
