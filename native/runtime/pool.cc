#include "pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "cores.h"

namespace selfsame {
namespace {

using Clock = std::chrono::steady_clock;

/** How long a thread that runs out of work looks for more before it sleeps: sleeping and waking take 30 us
 * (2-core VM), and the calls of a model come close upon each other. */
constexpr std::chrono::microseconds kLinger{50};

/** Leaves the core to its other hardware thread for an instant. */
void relax() {
#if defined(__GNUC__) && defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__GNUC__) && defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/**
 * Waits a moment; false once it is over. Not by yielding to other threads: Linux then holds the thread for
 * one that can wait, and a helper that had done so came 0.6 ms late to the next call on a busy machine.
 */
template <class Condition>
bool lingerUntil(const Condition& condition) {
  for (const Clock::time_point end = Clock::now() + kLinger; !condition(); relax()) {
    if (Clock::now() > end) return false;
  }
  return true;
}

/** One caller's work. It lives on the caller's stack, so helpers count themselves in and out. */
struct Job {
  Work work;
  void* context;
  int64_t count;
  int wanted;  // helpers that may still join; guarded by the pool's mutex
  int core = currentCore();
  std::atomic<int> helping{0};
  std::atomic<int64_t> next{0};
  std::condition_variable left{};

  bool doPiece() {
    const int64_t i = next.fetch_add(1, std::memory_order_relaxed);
    if (i < count) work(context, i);
    return i < count;
  }
};

struct Errand {
  void (*run)(void* context);
  void* context;
};

class Pool {
 public:
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
      ++news_;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void run(Job& job) {
    const int wanted = job.wanted;
    int asleep;
    {
      std::lock_guard lock(mutex_);
      grow(wanted + out_);
      asleep = wanted - lingering_;
      jobs_.push_back(&job);
      ++asking_;
      ++news_;
    }
    for (int i = 0; i < asleep; ++i) arrived_.notify_one();
    while (job.doPiece()) continue;
    {
      std::lock_guard lock(mutex_);
      std::erase(jobs_, &job);
      --asking_;
    }
    const auto alone = [&] { return job.helping.load(std::memory_order_relaxed) == 0; };
    lingerUntil(alone);
    // Under the lock in any case: whoever helped has then let go of the job.
    std::unique_lock lock(mutex_);
    job.left.wait(lock, alone);
  }

  /** False where not even one thread could be started. */
  bool send(const Errand& errand) {
    {
      std::lock_guard lock(mutex_);
      grow(std::min(out_ + static_cast<int>(errands_.size()) + 1, availableCores()));
      if (threads_.empty()) return false;
      errands_.push_back(errand);
      ++asking_;
      ++news_;
    }
    arrived_.notify_one();
    return true;
  }

 private:
  /** Starts threads until there are `count`; does with fewer where the system has no more to give. */
  void grow(int count) {
    try {
      while (static_cast<int>(threads_.size()) < count) threads_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (bool lingers = false; !closing_;) {
      // An errand is a caller that has no thread of its own yet.
      if (!errands_.empty()) {
        runErrand(lock);
        lingers = true;
      } else if (Job* job = nextJob()) {
        lingers = help(*job, lock);
      } else if (lingers) {
        linger(lock);
        lingers = false;
      } else {
        arrived_.wait(lock);
      }
    }
  }

  /** The job that has waited longest for a helper. */
  Job* nextJob() {
    for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
      Job* job = *at;
      if (job->wanted == 0 || job->next.load(std::memory_order_relaxed) >= job->count) continue;
      std::rotate(at, at + 1, jobs_.end());
      return job;
    }
    return nullptr;
  }

  /**
   * Until the job is done; piece by piece in turn with others where there are any, so that none waits for the
   * end of another. False on the core of the caller, who could not go on if this thread lingered there: Linux
   * often wakes a thread on the core of who wakes it, and the call then took 50 us more.
   */
  bool help(Job& job, std::unique_lock<std::mutex>& lock) {
    --job.wanted;
    ++job.helping;
    lock.unlock();
    while (job.doPiece() && asking_.load(std::memory_order_relaxed) == 1) continue;
    lock.lock();
    ++job.wanted;
    const bool apart = job.core < 0 || job.core != currentCore();
    if (--job.helping == 0) job.left.notify_one();
    return apart;
  }

  void runErrand(std::unique_lock<std::mutex>& lock) {
    const Errand errand = errands_.front();
    errands_.pop_front();
    --asking_;
    ++out_;
    lock.unlock();
    errand.run(errand.context);
    lock.lock();
    --out_;
  }

  void linger(std::unique_lock<std::mutex>& lock) {
    const int64_t known = news_.load();
    ++lingering_;
    lock.unlock();
    lingerUntil([&] { return news_.load(std::memory_order_relaxed) != known; });
    lock.lock();
    --lingering_;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Job*> jobs_;
  std::atomic<int> asking_{0};    // jobs and errands
  std::atomic<int64_t> news_{0};  // what has come so far
  std::deque<Errand> errands_;
  int out_ = 0;        // threads on an errand, which are no helpers
  int lingering_ = 0;  // threads that will see news without being woken
  std::vector<std::thread> threads_;
  bool closing_ = false;
};

std::mutex poolMutex;
int holders = 0;
Pool* pool = nullptr;

Pool& sharedPool() {
  std::lock_guard lock(poolMutex);
  if (pool == nullptr) pool = new Pool;
  return *pool;
}

}  // namespace

void holdPool() {
  std::lock_guard lock(poolMutex);
  ++holders;
}

void releasePool() {
  std::lock_guard lock(poolMutex);
  if (--holders > 0) return;
  delete pool;
  pool = nullptr;
}

void inParallel(int threads, int64_t count, Work work, void* context) {
  const int helpers = static_cast<int>(std::min<int64_t>(threads, count) - 1);
  Job job{work, context, count, helpers};
  if (helpers > 0) return sharedPool().run(job);
  while (job.doPiece()) continue;
}

void inBackground(void (*errand)(void* context), void* context) {
  if (!sharedPool().send({errand, context})) errand(context);
}

}  // namespace selfsame
