/**
 * Several callers at once on one pool, each with random calls on arrays of exactly their size, for sanitizers
 * to watch (scripts/sanitize.mjs): helpers that come and go, errands in the background that are stopped on
 * their way, pools that end and begin again. Whatever the others do, a call gives the bits it gives alone.
 */
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../native/attention/check.h"
#include "../../native/attention/driver.h"
#include "../../native/runtime/dispatch.h"
#include "../../native/runtime/pool.h"

using namespace selfsame;

namespace {

constexpr int kCallers = 3;
constexpr int kRounds = 4;
constexpr int kCallsPerRound = 12;
constexpr int kErrands = 6;

using Source = std::mt19937;

int below(Source& source, int end) { return static_cast<int>(source() % static_cast<unsigned>(end)); }

void fail(const std::string& what) {
  std::printf("FAILED: %s\n", what.c_str());
  std::exit(1);
}

/** A dense call of random sizes, causal or not, and all its memory; every third has few rows and keys of
 * several chunks, which threads merge. */
struct Example {
  Call call;
  std::vector<float> q, k, v, out, lse, mass;

  explicit Example(Source& source) {
    Plan& plan = call.plan;
    plan = {};
    plan.batch = 1 + below(source, 2);
    plan.kvHeads = 1 + below(source, 2);
    plan.heads = plan.kvHeads * (1 + below(source, 3));
    const bool decodes = below(source, 3) == 0;
    plan.queries = 1 + below(source, decodes ? 16 : 90);
    plan.keys = plan.queries + below(source, decodes ? 3 * kChunkKeys : 300);
    plan.headDim = 1 + below(source, 70);
    plan.valueDim = 1 + below(source, 70);
    setStrides(plan);
    plan.scale = 0.3;
    plan.left = kOpen;
    plan.right = below(source, 2) == 0 ? kOpen : 0;
    plan.outputs = kOutput | kLse | (below(source, 3) == 0 ? kMass : 0);
    const int32_t queries = static_cast<int32_t>(plan.queries), keys = static_cast<int32_t>(plan.keys);
    call.items.assign(plan.batch, Item{0, queries, queries, 0, keys, 0, keys, keys - queries});
    fill(q, plan.batch * plan.qBatch, source);
    fill(k, plan.batch * plan.kBatch, source);
    fill(v, plan.batch * plan.vBatch, source);
    call.q = {q.data(), q.size()};
    call.k = {k.data(), k.size()};
    call.v = {v.data(), v.size()};
    clear();
    const std::string complaint = checkItems(plan, call.items) + checkSpans(call);
    if (!complaint.empty()) fail(complaint);
  }

  /** New memory for the results, so that the last of them cannot pass for the next. */
  void clear() {
    const Plan& plan = call.plan;
    out = std::vector<float>(plan.batch * plan.oBatch);
    lse = std::vector<float>(plan.batch * plan.lseBatch);
    mass = std::vector<float>(plan.batch * plan.massBatch);
    call.out = {out.data(), out.size()};
    call.lse = {lse.data(), lse.size()};
    call.mass = {mass.data(), mass.size()};
  }

 private:
  static void setStrides(Plan& plan) {
    plan.qRow = plan.kRow = plan.headDim;
    plan.vRow = plan.oRow = plan.valueDim;
    plan.qHead = plan.queries * plan.qRow;
    plan.kHead = plan.keys * plan.kRow;
    plan.vHead = plan.keys * plan.vRow;
    plan.oHead = plan.queries * plan.oRow;
    plan.qBatch = plan.heads * plan.qHead;
    plan.kBatch = plan.kvHeads * plan.kHead;
    plan.vBatch = plan.kvHeads * plan.vHead;
    plan.oBatch = plan.heads * plan.oHead;
    plan.lseRow = 1;
    plan.lseHead = plan.queries;
    plan.lseBatch = plan.heads * plan.queries;
    plan.massHead = plan.keys;
    plan.massBatch = plan.heads * plan.keys;
  }

  static void fill(std::vector<float>& data, int64_t size, Source& source) {
    std::normal_distribution<float> normal;
    data = std::vector<float>(size);
    for (float& x : data) x = normal(source);
  }
};

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/** One caller: each call on one thread, then on several; the driver takes as many as the work is worth. */
void callMany(const Kernels& kernels, unsigned seed) {
  Source source(seed);
  for (int n = 0; n < kCallsPerRound; ++n) {
    Example example(source);
    if (!runCall(example.call, kernels, 1)) fail("out of memory");
    const std::vector<float> out = example.out, lse = example.lse, mass = example.mass;
    for (int threads = 2; threads <= 4; ++threads) {
      example.clear();
      if (!runCall(example.call, kernels, threads)) fail("out of memory");
      if (!sameBits(out, example.out) || !sameBits(lse, example.lse) || !sameBits(mass, example.mass))
        fail(std::string("other bits with ") + std::to_string(threads) + " threads on " + kernels.isa);
    }
  }
}

/** A call in the background; told to stop by somebody else, or not. */
struct Errand {
  Example example;
  const Kernels& kernels;
  std::atomic<int32_t> stop{0};
  std::atomic<bool> done{false};

  Errand(Source& source, const Kernels& table) : example(source), kernels(table) {
    example.call.stop = &stop;
  }

  static void run(void* context) {
    auto* self = static_cast<Errand*>(context);
    runCall(self->example.call, self->kernels, 3);
    self->done.store(true, std::memory_order_release);
  }
};

void sendErrands(const Kernels& kernels, unsigned seed) {
  Source source(seed);
  std::vector<std::unique_ptr<Errand>> errands;
  for (int n = 0; n < kErrands; ++n) errands.push_back(std::make_unique<Errand>(source, kernels));
  for (auto& errand : errands) inBackground(Errand::run, errand.get());
  for (size_t n = 0; n < errands.size(); n += 2) errands[n]->stop.store(1);
  for (auto& errand : errands)
    while (!errand->done.load(std::memory_order_acquire)) std::this_thread::yield();
}

/** Pieces of a job are done once each, whatever is said of threads. */
void countPieces() {
  for (int threads = 1; threads <= 5; ++threads) {
    for (int64_t count : {0, 1, 2, 7, 100}) {
      std::vector<std::atomic<int>> done(count);
      const auto work = [](void* context, int64_t index) {
        (*static_cast<std::vector<std::atomic<int>>*>(context))[index].fetch_add(1);
      };
      inParallel(threads, count, work, &done);
      if (!std::all_of(done.begin(), done.end(), [](const std::atomic<int>& n) { return n == 1; }))
        fail("a piece that was not done once");
    }
  }
}

/** An environment: it holds the pool while it lives. */
void live(const Kernels& kernels, unsigned seed) {
  holdPool();
  sendErrands(kernels, seed);
  callMany(kernels, seed + 1);
  countPieces();
  releasePool();
}

}  // namespace

int main() {
  for (const Candidate& candidate : candidates()) {
    if (!candidate.supported) continue;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<std::thread> callers;
      for (int n = 0; n < kCallers; ++n)
        callers.emplace_back([&, n] { live(*candidate.kernels, 100u * round + 10u * n + 1); });
      for (std::thread& caller : callers) caller.join();
    }
    std::printf("%s: %d callers, %d rounds\n", candidate.kernels->isa, kCallers, kRounds);
  }
}
