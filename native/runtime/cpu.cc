#include "cpu.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <cstdint>
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif

namespace selfsame {
namespace {

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r{};
#if defined(_MSC_VER)
  int words[4];
  __cpuidex(words, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]), static_cast<uint32_t>(words[2]),
       static_cast<uint32_t>(words[3])};
#else
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
#endif
  return r;
}

/** Register sets that the system saves when it switches threads (XCR0). */
uint64_t savedState() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

bool has(uint32_t word, int bit) { return (word >> bit & 1u) != 0; }

CpuFeatures detect() {
  CpuFeatures features;
  if (cpuid(0).eax < 7) return features;
  const uint32_t basic = cpuid(1).ecx;
  const bool osxsave = has(basic, 27), avx = has(basic, 28), fma = has(basic, 12), f16c = has(basic, 29);
  if (!osxsave || !avx || !fma || !f16c) return features;
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6;
  const uint64_t saved = savedState();
  const Registers leaf = cpuid(7);
  const uint32_t extended = leaf.ebx;
  features.avx2 = has(extended, 5) && (saved & kYmm) == kYmm;
  features.avx512 = features.avx2 && (saved & kZmm) == kZmm && has(extended, 16) && has(extended, 17) &&
                    has(extended, 30) && has(extended, 31);
  features.vnni = features.avx512 && has(leaf.ecx, 11);
  // Leaf 7 says in eax how many subleaves it has.
  features.bf16 = features.avx512 && leaf.eax >= 1 && has(cpuid(7, 1).eax, 5);
  return features;
}

}  // namespace

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace selfsame

#else

namespace selfsame {

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features;
  return features;
}

}  // namespace selfsame

#endif
