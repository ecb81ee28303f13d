/**
 * One shape, one instruction set, no JavaScript: the least milliseconds of several runs on this thread, and in a
 * build with SELFSAME_PHASES what each phase took of that run. Arguments: isa, heads, kvHeads, queries, keys,
 * headDim, causal (0 or 1), milliseconds. Prints one line of JSON.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "attention/driver.h"
#include "attention/phase.h"
#include "runtime/dispatch.h"

using namespace selfsame;

namespace {

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<float> normal(int64_t count, unsigned seed) {
  std::mt19937 source(seed);
  std::normal_distribution<float> bell;
  std::vector<float> data(count);
  for (float& x : data) x = bell(source);
  return data;
}

#if defined(SELFSAME_PHASES)
constexpr int kPhases = static_cast<int>(Phase::kCount);
int64_t* const phases = phaseNanoseconds;
#else
constexpr int kPhases = 0;
int64_t* const phases = nullptr;
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  const auto word = [&](int at) { return static_cast<int64_t>(std::atoll(argv[at])); };
  const int64_t heads = word(2), kvHeads = word(3), queries = word(4), keys = word(5), dim = word(6);
  const Kernels* kernels = nullptr;
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported && candidate.kernels->isa == std::string(argv[1])) kernels = candidate.kernels;
  }
  if (kernels == nullptr) return 3;

  const std::vector<float> q = normal(heads * queries * dim, 1), k = normal(kvHeads * keys * dim, 2),
                           v = normal(kvHeads * keys * dim, 3);
  std::vector<float> out(q.size());
  Call call;
  std::memset(&call.plan, 0, sizeof call.plan);
  Plan& plan = call.plan;
  plan.batch = 1;
  plan.heads = heads;
  plan.kvHeads = kvHeads;
  plan.queries = queries;
  plan.keys = keys;
  plan.headDim = plan.valueDim = dim;
  plan.qRow = plan.kRow = plan.vRow = plan.oRow = dim;
  plan.qHead = plan.oHead = queries * dim;
  plan.kHead = plan.vHead = keys * dim;
  plan.qBatch = plan.oBatch = heads * queries * dim;
  plan.kBatch = plan.vBatch = kvHeads * keys * dim;
  plan.scale = 1 / std::sqrt(static_cast<double>(dim));
  plan.left = kOpen;
  plan.right = word(7) != 0 ? 0 : kOpen;
  plan.outputs = kOutput;
  plan.threads = 1;
  const auto rows = static_cast<int32_t>(queries), ends = static_cast<int32_t>(keys);
  call.items.push_back({0, rows, rows, 0, ends, 0, ends, ends - rows});
  call.q = {q.data(), q.size()};
  call.k = {k.data(), k.size()};
  call.v = {v.data(), v.size()};
  call.out = {out.data(), out.size()};

  double least = INFINITY;
  std::vector<int64_t> parts(kPhases);
  const double end = now() + std::atof(argv[8]);
  do {
    std::fill(phases, phases + kPhases, 0);
    const double start = now();
    if (!runCall(call, *kernels, 1)) return 4;
    const double taken = now() - start;
    if (taken >= least) continue;
    least = taken;
    std::copy(phases, phases + kPhases, parts.begin());
  } while (now() < end);

  std::printf("{\"ms\":%.6f,\"phases\":[", least);
  for (int i = 0; i < kPhases; ++i) std::printf("%s%.6f", i > 0 ? "," : "", static_cast<double>(parts[i]) / 1e6);
  std::printf("]}\n");
}
