#include "driver.h"

#include <algorithm>
#include <memory>
#include <new>

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
/** Multiply-adds worth a thread: 20 us with AVX-512. A thread that lingers (pool.cc) starts after 0.3 us, one
 * that sleeps after 25 us (2-core VM). */
constexpr double kWorkPerThread = 1 << 21;

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t selectedRows(const Call& call) {
  return call.hasRows ? static_cast<int64_t>(call.rows.size()) : kAllRows;
}

/** Rows of an item of which something is shown. */
int64_t shownRows(const Plan& plan, const Item& item, int64_t selected) {
  if ((plan.outputs & (kWeights | kScores | kMass)) == 0) return 0;
  return selected == kAllRows ? item.queryTotal : selected;
}

/** How many tasks one key/value head of an item has for each purpose; those of a sum come once all others are
 * done. */
struct Cut {
  int64_t attend;
  int64_t show;
  int64_t sum;
};

Cut cut(const Plan& plan, const Item& item, int64_t selected, const Kernels& kernels, int64_t rows) {
  const int64_t group = plan.heads / plan.kvHeads;
  const bool sums = (plan.outputs & kMass) != 0;
  return {ceilDivide(item.queryTotal * group, rows),
          ceilDivide(shownRows(plan, item, selected) * group, rows),
          sums ? ceilDivide(item.keyTotal, kernels.block) * group : 0};
}

/** Whether a pass is the one of the sums. */
enum Pass { kRows, kSums };

int64_t tasksOf(const Cut& each, Pass pass) { return pass == kSums ? each.sum : each.attend + each.show; }

int64_t countTasks(const Plan& plan, const std::vector<Item>& items, int64_t selected, const Kernels& kernels,
                   int64_t rows, Pass pass) {
  int64_t count = 0;
  for (const Item& item : items)
    count += tasksOf(cut(plan, item, selected, kernels, rows), pass) * plan.kvHeads;
  return count;
}

/** What threads share while they run one pass of a call. */
struct Run {
  const Call& call;
  const Kernels& kernels;
  const Schedule& schedule;
  Pass pass;
  /** First task of every item. */
  std::vector<int64_t> firstTask;
  std::atomic<bool> outOfMemory{false};
};

Task taskAt(const Run& run, int64_t index) {
  const Call& call = run.call;
  const int64_t group = call.group();
  const auto after = std::upper_bound(run.firstTask.begin(), run.firstTask.end(), index);
  const int64_t item = after - run.firstTask.begin() - 1;
  const Cut each = cut(call.plan, call.items[item], selectedRows(call), run.kernels, run.schedule.rows);
  const int64_t perHead = tasksOf(each, run.pass), kvHead = (index - run.firstTask[item]) / perHead;
  const int64_t within = (index - run.firstTask[item]) % perHead;
  if (run.pass == kSums) {
    const int64_t blocks = each.sum / group;
    return {Purpose::kSum, item, kvHead, kvHead * group + within / blocks, 1, within % blocks, 0};
  }
  const bool show = within >= each.attend;
  const Item& of = call.items[item];
  const int64_t all = (show ? shownRows(call.plan, of, selectedRows(call)) : of.queryTotal) * group;
  const int64_t first = (show ? within - each.attend : within) * run.schedule.rows;
  return {show ? Purpose::kShow : Purpose::kAttend, item, kvHead, kvHead * group, group, first,
          std::min(run.schedule.rows, all - first)};
}

void runTask(void* context, int64_t index) {
  Run& run = *static_cast<Run*>(context);
  if (run.call.stopped() || run.outOfMemory.load(std::memory_order_relaxed)) return;
  const Task task = taskAt(run, index);
  const int64_t rows = run.schedule.rows;
  void* workspace = threadScratch(run.kernels.workspaceBytes(run.call.plan, rows));
  if (workspace == nullptr) {
    run.outOfMemory.store(true, std::memory_order_relaxed);
    return;
  }
  run.kernels.run(run.call, task, rows, workspace);
}

/** False where a thread is out of memory. */
bool runPass(const Call& call, const Kernels& kernels, const Schedule& how, Pass pass) {
  Run run{call, kernels, how, pass, {}};
  run.firstTask.reserve(call.items.size());
  int64_t count = 0;
  for (const Item& item : call.items) {
    run.firstTask.push_back(count);
    count += tasksOf(cut(call.plan, item, selectedRows(call), kernels, how.rows), pass) * call.plan.kvHeads;
  }
  inParallel(how.threads, count, runTask, &run);
  return !run.outOfMemory.load();
}

}  // namespace

Schedule schedule(const Plan& plan, const std::vector<Item>& items, int64_t selected, const Kernels& kernels,
                  int threads) {
  double work = 0;
  int64_t most = 1;
  for (const Item& item : items) {
    const int64_t shown = shownRows(plan, item, selected);
    work += static_cast<double>(item.queryRows + shown) * std::max(0, item.keyEnd - item.keyBegin);
    most = std::max(most, std::max<int64_t>(item.queryTotal, shown) * plan.heads / plan.kvHeads);
  }
  work *= static_cast<double>(plan.heads) * static_cast<double>(plan.headDim + plan.valueDim);
  threads = static_cast<int>(std::min<double>(threads, 1 + work / kWorkPerThread));

  int64_t rows = std::min({kTaskRows, most, kTaskQueryFloats / std::max<int64_t>(plan.headDim, 1)});
  rows = std::max<int64_t>(rows, std::min<int64_t>(most, kernels.tileQueries));
  const auto tasks = [&](int64_t each) { return countTasks(plan, items, selected, kernels, each, kRows); };
  while (threads > 1 && rows >= 2 * kernels.tileQueries && tasks(rows) < kTasksPerThread * threads) {
    rows = ceilDivide(rows / 2, kernels.tileQueries) * kernels.tileQueries;
  }
  return {rows, tasks(rows) + countTasks(plan, items, selected, kernels, rows, kSums), threads};
}

bool runCall(Call& call, const Kernels& kernels, int threads) {
  const Schedule how = schedule(call.plan, call.items, selectedRows(call), kernels, threads);
  if (!call.wants(kMass)) return runPass(call, kernels, how, kRows);
  const std::unique_ptr<float[]> known(new (std::nothrow) float[2 * call.lse.length]());
  if (known == nullptr) return false;
  call.references = known.get();
  call.inverses = known.get() + call.lse.length;
  return runPass(call, kernels, how, kRows) && runPass(call, kernels, how, kSums);
}

}  // namespace selfsame
