#include "cores.h"

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
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

/** Version 2: "max 100000" or "150000 100000". */
int quotaOfVersion2(const std::string& folder, int cores) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return cores;
  return underQuota(std::strtod(quota.c_str(), nullptr), period, cores);
}

int quotaOfVersion1(const std::string& folder, int cores) {
  std::ifstream quotaFile(folder + "/cpu.cfs_quota_us"), periodFile(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quotaFile >> quota) || !(periodFile >> period)) return cores;
  return underQuota(quota, period, cores);
}

/** A quota on any of the groups above holds as well. Inside a container the path may not be visible, only its
 * end. */
int quotaCores(int cores) {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
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
