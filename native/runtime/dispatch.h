/** The instruction sets that this binary has kernels for. */
#pragma once
#include <vector>

#include "../attention/call.h"

namespace selfsame {

struct Candidate {
  const Kernels* kernels;
  /** Whether this CPU runs them. */
  bool supported;
};

/** The fastest first; 'scalar', which every CPU runs, last. */
const std::vector<Candidate>& candidates();

/** Bits of the precisions below float32 that these kernels have and this CPU runs. */
int64_t precisionsOf(const Kernels& kernels);

}  // namespace selfsame
