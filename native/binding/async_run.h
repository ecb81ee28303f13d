/** A call that runs on the pool while JavaScript goes on. */
#pragma once
#include <napi.h>

#include <condition_variable>
#include <mutex>

#include "../attention/call.h"

namespace selfsame {

/**
 * Not napi_async_work: that would take one of the few threads of libuv, which files and DNS share, and an
 * environment that ends would wait for the work. Here it stops the work instead. What N-API answers is not
 * looked at on purpose: in an environment that is ending it refuses, and then nobody waits for the promise.
 */
class AsyncRun {
 public:
  /** Starts a call whose `stop` is set, and returns its promise; the arguments are kept alive until it
   * settles. */
  static Napi::Value start(const Napi::CallbackInfo& info, Call call, const Kernels& kernels, int threads);

 private:
  AsyncRun(Call call, const Kernels& kernels, int threads);

  void waitUntilDone();

  /** On a thread of the pool. */
  static void work(void* self);
  /** On the thread of JavaScript, when the work is done. */
  static void settle(napi_env env, napi_value callback, void* self, void* data);
  /** On the thread of JavaScript, when its environment ends first. */
  static void abandon(void* self);
  /** On the thread of JavaScript, last. */
  static void finish(napi_env env, void* self, void* hint);

  Call call_;
  const Kernels& kernels_;
  int threads_;
  bool succeeded_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  napi_deferred deferred_ = nullptr;
  napi_ref arguments_ = nullptr;
  napi_threadsafe_function notify_ = nullptr;
};

}  // namespace selfsame
