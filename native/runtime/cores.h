/** How many threads this process may really run at once. */
#pragma once

namespace selfsame {

/** The smaller of the CPUs it is bound to and its container's quota; at least 1. Asked once. */
int availableCores();

/** The core that this thread runs on at the moment; -1 where that is not known. */
int currentCore();

}  // namespace selfsame
