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

}  // namespace selfsame
