/** Memory that a thread keeps from call to call: it only grows, so a steady state allocates nothing. */
#pragma once
#include <cstddef>

namespace selfsame {

/** At least `bytes`, aligned to a cache line; null where there is no memory. Valid until the thread asks
 * again. */
void* threadScratch(size_t bytes);

}  // namespace selfsame
