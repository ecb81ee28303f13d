/** Threads that wait for work, one set for the whole process and all its environments. */
#pragma once
#include <cstdint>

namespace selfsame {

/** Does one piece of work. */
using Work = void (*)(void* context, int64_t index);

/** Every environment holds the pool while it lives; the threads are joined when the last one lets go. */
void holdPool();
void releasePool();

/**
 * Does the pieces 0 .. count - 1 on up to `threads` threads, the caller's own among them, and returns when
 * all are done. Pieces are taken one by one in order. Several callers may do this at once.
 */
void inParallel(int threads, int64_t count, Work work, void* context);

/** Does something on a thread of the pool, soon; that thread may itself call inParallel. */
void inBackground(void (*errand)(void* context), void* context);

}  // namespace selfsame
