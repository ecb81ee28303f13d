/** How memory is paged. */
#pragma once
#include <cstddef>

namespace selfsame {

/**
 * Asks the system for large pages where `memory` has not been written yet: decoding reads all of a cache once
 * per token, and with pages of 4 KiB it waits for their addresses too. Only advice: where there are none,
 * nothing happens.
 */
void preferLargePages(void* memory, size_t bytes);

}  // namespace selfsame
