#include "cores.h"

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#endif

namespace selfsame {
namespace {

int hardwareCores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

#if defined(__linux__)

/** CPUs in the affinity mask; the mask is asked for in growing sizes, for machines beyond 1024 CPUs. */
int boundCores() {
  for (int cpus = 1024; cpus <= 1 << 16; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return hardwareCores();
}

/** Cores that quota / period allows, or `cores` where there is no quota. Part of a core counts as none beside
 * a whole one. */
int underQuota(double quota, double period, int cores) {
  if (!(quota > 0) || !(period > 0)) return cores;
  return std::clamp(static_cast<int>(quota / period), 1, cores);
}

/** What a small file holds, or nothing. By C's functions: the streams of C++ bring 217 KB of locales with
 * them where the library is linked in. */
std::string contentsOf(const std::string& path) {
  char text[8192];
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return {};
  const size_t length = std::fread(text, 1, sizeof text, file);
  std::fclose(file);
  return {text, length};
}

/** Version 2: "max 100000" or "150000 100000"; a word in place of a number is no quota. */
int quotaOfVersion2(const std::string& folder, int cores) {
  const std::string text = contentsOf(folder + "/cpu.max");
  char* rest = nullptr;
  const double quota = std::strtod(text.c_str(), &rest);
  return underQuota(quota, std::strtod(rest, nullptr), cores);
}

int quotaOfVersion1(const std::string& folder, int cores) {
  const auto number = [&](const char* name) {
    return std::strtod(contentsOf(folder + name).c_str(), nullptr);
  };
  return underQuota(number("/cpu.cfs_quota_us"), number("/cpu.cfs_period_us"), cores);
}

/** A quota on any of the groups above holds as well. Inside a container the path may not be visible, only its
 * end. */
int quotaCores(int cores) {
  const std::string groups = contentsOf("/proc/self/cgroup");
  for (size_t start = 0, end; start < groups.size(); start = end + 1) {
    end = std::min(groups.find('\n', start), groups.size());
    const std::string line = groups.substr(start, end - start);
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version2 = controllers.empty();
    if (!version2 && controllers != "cpu" && controllers != "cpu,cpuacct" && controllers != "cpuacct,cpu")
      continue;
    const std::string root = version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      while (!path.empty() && path.back() == '/') path.pop_back();
      cores = version2 ? quotaOfVersion2(root + path, cores) : quotaOfVersion1(root + path, cores);
      if (path.find('/') == std::string::npos) break;
    }
  }
  return cores;
}

int countCores() { return quotaCores(boundCores()); }

#else

int countCores() { return hardwareCores(); }

#endif

}  // namespace

int availableCores() {
  static const int cores = countCores();
  return cores;
}

int currentCore() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

}  // namespace selfsame
