#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "cores.h"

namespace selfsame {
namespace {

/** One caller's work. It lives on the caller's stack, so helpers count themselves in and out. */
struct Job {
  Work work;
  void* context;
  int64_t count;
  int wanted;  // helpers that may still join; guarded by the pool's mutex
  int helping = 0;
  std::atomic<int64_t> next{0};
  std::condition_variable left{};

  void help() {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) work(context, i);
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
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void run(Job& job) {
    const int wanted = job.wanted;
    {
      std::lock_guard lock(mutex_);
      grow(wanted + out_);
      jobs_.push_back(&job);
    }
    for (int i = 0; i < wanted; ++i) arrived_.notify_one();
    job.help();
    std::unique_lock lock(mutex_);
    std::erase(jobs_, &job);
    job.left.wait(lock, [&] { return job.helping == 0; });
  }

  /** False where not even one thread could be started. */
  bool send(const Errand& errand) {
    {
      std::lock_guard lock(mutex_);
      grow(std::min(out_ + static_cast<int>(errands_.size()) + 1, availableCores()));
      if (threads_.empty()) return false;
      errands_.push_back(errand);
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
    while (!closing_) {
      if (Job* job = open()) {
        --job->wanted;
        ++job->helping;
        lock.unlock();
        job->help();
        lock.lock();
        if (--job->helping == 0) job->left.notify_one();
      } else if (!errands_.empty()) {
        const Errand errand = errands_.front();
        errands_.pop_front();
        ++out_;
        lock.unlock();
        errand.run(errand.context);
        lock.lock();
        --out_;
      } else {
        arrived_.wait(lock);
      }
    }
  }

  /** The oldest job that may use another helper. */
  Job* open() {
    for (Job* job : jobs_) {
      if (job->wanted > 0 && job->next.load(std::memory_order_relaxed) < job->count) return job;
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Job*> jobs_;
  std::deque<Errand> errands_;
  int out_ = 0;  // threads on an errand, which are no helpers
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
  if (helpers <= 0) return job.help();
  sharedPool().run(job);
}

void inBackground(void (*errand)(void* context), void* context) {
  if (!sharedPool().send({errand, context})) errand(context);
}

}  // namespace selfsame
