/** Memory that a thread keeps from call to call: it only grows, so a steady state allocates nothing. */
#pragma once
#include <cstddef>

namespace selfsame {

/** What memory is for: the task at hand, or what the tasks of a call of this thread leave for each other. */
enum class ScratchUse { kTask, kCall };

/** At least `bytes`, aligned to a cache line; null where there is no memory. Valid until the thread asks
 * again for the same use. */
void* threadScratch(ScratchUse use, size_t bytes);

}  // namespace selfsame
