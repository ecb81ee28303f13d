#include "driver.h"

#include <algorithm>
#include <memory>
#include <new>

#include "../runtime/pool.h"
#include "../runtime/scratch.h"

namespace selfsame {
namespace {

/** Rows of a task: enough that a block of K and V read from memory is used often, their queries in half of a
 * small L2, and so their outputs. */
constexpr int64_t kTaskRows = 384;
constexpr int64_t kTaskFloats = 1 << 16;
/** Of lower precision, where each task packs the keys and values that it reads. */
constexpr int64_t kPackedTaskRows = 1024;
/** Tasks per thread that even out their unequal lengths. */
constexpr int64_t kTasksPerThread = 4;
/** Multiply-adds worth a thread: 20 us with AVX-512. A thread that lingers (pool.cc) starts after 0.3 us, one
 * that sleeps after 25 us (2-core VM). */
constexpr double kWorkPerThread = 1 << 21;
/** Rows whose multiply-adds take as long as reading a key and its value from memory. */
constexpr double kRowsPerRead = 13;

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
 * done. Rows that are decoded come first, and are attended by chunks of their keys. */
struct Cut {
  Chunks chunks;
  int64_t decoded;
  int64_t attend;
  int64_t show;
  int64_t sum;
};

Cut cut(const Plan& plan, const Item& item, const Chunks& chunks, int64_t selected, const Kernels& kernels,
        int64_t rows) {
  const int64_t group = plan.heads / plan.kvHeads;
  const bool sums = (plan.outputs & kMass) != 0;
  const int64_t decoded = chunks.count > 0 ? item.queryRows * group : 0;
  return {chunks, decoded, ceilDivide(item.queryTotal * group - decoded, rows),
          ceilDivide(shownRows(plan, item, selected) * group, rows),
          sums ? ceilDivide(item.keyTotal, kernels.block) * group : 0};
}

/** Whether a pass is the one of the sums. */
enum Pass { kRows, kSums };

/** Floats in the place of the counters of chunks, so that rows begin at a multiple of theirs. */
int64_t paddedCounters(const Plan& plan) {
  return ceilDivide(plan.batch * plan.kvHeads, kPartialFloats) * kPartialFloats;
}

int64_t tasksOf(const Cut& each, Pass pass) {
  return pass == kSums ? each.sum : each.chunks.count + each.attend + each.show;
}

/** An item, cut. */
struct Place {
  Cut cut;
  int64_t firstTask;
  /** First row of partial results. */
  int64_t firstPartial;
};

/** What chunks leave for each other. */
struct Shared {
  /** Of every item and key/value head: chunks that are not done. */
  std::atomic<int32_t>* left = nullptr;
  float* partials = nullptr;
};

/** What threads share while they run one pass of a call. */
struct Run {
  const Call& call;
  const Kernels& kernels;
  const Schedule& schedule;
  Pass pass;
  Shared shared;
  std::vector<Place> places;
  std::atomic<bool> outOfMemory{false};
};

Task taskAt(const Run& run, int64_t index) {
  const Call& call = run.call;
  const int64_t group = call.group();
  const auto later = [](int64_t task, const Place& place) { return task < place.firstTask; };
  const auto after = std::upper_bound(run.places.begin(), run.places.end(), index, later);
  const int64_t item = after - run.places.begin() - 1;
  const auto& [each, firstTask, firstPartial] = run.places[item];
  const int64_t perHead = tasksOf(each, run.pass), kvHead = (index - firstTask) / perHead;
  const int64_t within = (index - firstTask) % perHead;
  if (run.pass == kSums) {
    const int64_t blocks = each.sum / group;
    return {Purpose::kSum, item, kvHead, kvHead * group + within / blocks, 1, within % blocks, 0};
  }
  if (within < each.chunks.count) {
    Task task{Purpose::kDecode, item, kvHead, kvHead * group, group, 0, each.decoded};
    task.chunk = each.chunks.first + within;
    task.place = within;
    task.partials = {nullptr, each.chunks.count, each.decoded, partialStride(call.plan)};
    if (!each.chunks.merge()) return task;
    task.partials.data = run.shared.partials + firstPartial * task.partials.stride;
    task.partials.data = task.partials.row(kvHead * each.chunks.count, 0);
    return task;
  }
  const int64_t begun = within - each.chunks.count;
  const bool show = begun >= each.attend;
  const Item& of = call.items[item];
  const int64_t all = (show ? shownRows(call.plan, of, selectedRows(call)) : of.queryTotal) * group;
  const int64_t first =
      show ? (begun - each.attend) * run.schedule.rows : each.decoded + begun * run.schedule.rows;
  return {show ? Purpose::kShow : Purpose::kAttend, item, kvHead, kvHead * group, group, first,
          std::min(run.schedule.rows, all - first)};
}

void runTask(void* context, int64_t index) {
  Run& run = *static_cast<Run*>(context);
  if (run.call.stopped() || run.outOfMemory.load(std::memory_order_relaxed)) return;
  Task task = taskAt(run, index);
  const int64_t rows = run.schedule.workspaceRows;
  void* workspace = threadScratch(ScratchUse::kTask, run.kernels.workspaceBytes(run.call.plan, rows));
  if (workspace == nullptr) {
    run.outOfMemory.store(true, std::memory_order_relaxed);
    return;
  }
  run.kernels.run(run.call, task, rows, workspace);
  if (task.purpose != Purpose::kDecode || task.partials.chunks == 1) return;
  // Whoever does the last chunk sees what all have left.
  if (run.shared.left[task.item * run.call.plan.kvHeads + task.kvHead].fetch_sub(1) > 1) return;
  task.purpose = Purpose::kMerge;
  run.kernels.run(run.call, task, rows, workspace);
}

/** Lays out what chunks share; false where there is no memory for it. */
bool share(Run& run) {
  const Plan& plan = run.call.plan;
  if (run.pass == kSums || run.schedule.partialBytes == 0) return true;
  constexpr double kMostBytes = 1ull << 46;
  if (run.schedule.partialBytes > kMostBytes) return false;
  void* memory = threadScratch(ScratchUse::kCall, static_cast<size_t>(run.schedule.partialBytes));
  if (memory == nullptr) return false;
  run.shared.left = static_cast<std::atomic<int32_t>*>(memory);
  run.shared.partials = static_cast<float*>(memory) + paddedCounters(plan);
  int64_t counter = 0;
  for (const Chunks& chunks : run.schedule.chunks) {
    for (int64_t head = 0; head < plan.kvHeads; ++head, ++counter)
      new (run.shared.left + counter) std::atomic<int32_t>(static_cast<int32_t>(chunks.count));
  }
  return true;
}

/** False where a thread is out of memory. */
bool runPass(const Call& call, const Kernels& kernels, const Schedule& how, Pass pass) {
  Run run{call, kernels, how, pass, {}, {}};
  if (!share(run)) return false;
  run.places.reserve(call.items.size());
  int64_t count = 0, partials = 0;
  for (size_t i = 0; i < call.items.size(); ++i) {
    const Item& item = call.items[i];
    const Cut each = cut(call.plan, item, how.chunks[i], selectedRows(call), kernels, how.rows);
    run.places.push_back({each, count, partials});
    count += tasksOf(each, pass) * call.plan.kvHeads;
    if (each.chunks.merge()) partials += each.chunks.count * item.queryRows * call.plan.heads;
  }
  inParallel(how.threads, count, runTask, &run);
  return !run.outOfMemory.load();
}

}  // namespace

Schedule schedule(const Plan& plan, const std::vector<Item>& items, int64_t selected, const Kernels& kernels,
                  int threads) {
  const int64_t group = plan.heads / plan.kvHeads;
  double work = 0, partialRows = 0;
  int64_t most = 1, decoded = 0;
  Schedule how{};
  how.chunks.reserve(items.size());
  for (const Item& item : items) {
    const int64_t shown = shownRows(plan, item, selected);
    const Chunks chunks = chunksOf(plan, item);
    how.chunks.push_back(chunks);
    double rows = static_cast<double>(item.queryRows + shown);
    if (chunks.count > 0) {
      rows = std::max(rows, kRowsPerRead / static_cast<double>(group));
      decoded = std::max(decoded, item.queryRows * group);
      if (chunks.merge())
        partialRows += static_cast<double>(chunks.count * item.queryRows) * static_cast<double>(plan.heads);
      how.split = std::max(how.split, chunks.count);
    }
    how.prefills = how.prefills || chunks.count == 0;
    work += rows * std::max(0, item.keyEnd - item.keyBegin);
    const int64_t attended = chunks.count > 0 ? item.queryTotal - item.queryRows : item.queryTotal;
    most = std::max(most, std::max(attended, shown) * group);
  }
  work *= static_cast<double>(plan.heads) * static_cast<double>(plan.headDim + plan.valueDim);
  threads = static_cast<int>(std::min<double>(threads, 1 + work / kWorkPerThread));

  const int64_t channels = std::max({plan.headDim, plan.valueDim, int64_t{1}});
  const int64_t taskRows = (plan.features & kPrecisions) != 0 ? kPackedTaskRows : kTaskRows;
  int64_t rows = std::min({taskRows, most, kTaskFloats / channels});
  rows = std::max<int64_t>(rows, std::min<int64_t>(most, kernels.tileQueries));
  const auto tasks = [&](Pass pass) {
    int64_t count = 0;
    for (size_t i = 0; i < items.size(); ++i)
      count += tasksOf(cut(plan, items[i], how.chunks[i], selected, kernels, rows), pass) * plan.kvHeads;
    return count;
  };
  while (threads > 1 && rows >= 2 * kernels.tileQueries && tasks(kRows) < kTasksPerThread * threads) {
    rows = ceilDivide(rows / 2, kernels.tileQueries) * kernels.tileQueries;
  }
  how.rows = rows;
  how.workspaceRows = std::max(rows, decoded);
  how.tasks = tasks(kRows) + tasks(kSums);
  how.threads = threads;
  if (partialRows > 0) {
    const double floats =
        partialRows * static_cast<double>(partialStride(plan)) + static_cast<double>(paddedCounters(plan));
    how.partialBytes = floats * sizeof(float);
  }
  return how;
}

bool runCall(Call& call, const Kernels& kernels, int threads) {
  return runCall(call, kernels, schedule(call.plan, call.items, selectedRows(call), kernels, threads));
}

bool runCall(Call& call, const Kernels& kernels, const Schedule& how) {
  if (!call.wants(kMass)) return runPass(call, kernels, how, kRows);
  const std::unique_ptr<float[]> known(new (std::nothrow) float[2 * call.lse.length]());
  if (known == nullptr) return false;
  call.references = known.get();
  call.inverses = known.get() + call.lse.length;
  return runPass(call, kernels, how, kRows) && runPass(call, kernels, how, kSums);
}

}  // namespace selfsame
