#include "async_run.h"

#include <utility>

#include "../attention/driver.h"
#include "../runtime/pool.h"

namespace selfsame {

AsyncRun::AsyncRun(Call call, const Kernels& kernels, int threads)
    : call_(std::move(call)), kernels_(kernels), threads_(threads) {}

Napi::Value AsyncRun::start(const Napi::CallbackInfo& info, Call call, const Kernels& kernels, int threads) {
  const napi_env env = info.Env();
  auto* self = new AsyncRun(std::move(call), kernels, threads);
  Napi::Array arguments = Napi::Array::New(env, info.Length());
  for (uint32_t i = 0; i < info.Length(); ++i) arguments.Set(i, info[i]);
  napi_value promise = nullptr;
  if (napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "selfsame.attention"), 0,
                                      1, self, finish, self, settle, &self->notify_) != napi_ok) {
    delete self;
    Napi::Error::New(env, "this environment is ending").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  napi_create_reference(env, arguments, 1, &self->arguments_);
  napi_create_promise(env, &self->deferred_, &promise);
  napi_add_env_cleanup_hook(env, abandon, self);
  inBackground(work, self);
  return Napi::Value(env, promise);
}

void AsyncRun::work(void* context) {
  auto* self = static_cast<AsyncRun*>(context);
  self->succeeded_ = runCall(self->call_, self->kernels_, self->threads_);
  const napi_threadsafe_function notify = self->notify_;
  if (napi_call_threadsafe_function(notify, nullptr, napi_tsfn_nonblocking) == napi_ok) {
    napi_release_threadsafe_function(notify, napi_tsfn_release);
  }
  // Told under the lock: as soon as that is free again, the other side may delete all this.
  std::lock_guard lock(self->mutex_);
  self->done_ = true;
  self->changed_.notify_all();
}

void AsyncRun::waitUntilDone() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_; });
}

void AsyncRun::settle(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  auto* self = static_cast<AsyncRun*>(context);
  napi_value undefined, text, error;
  napi_get_undefined(env, &undefined);
  if (self->succeeded_) {
    napi_resolve_deferred(env, self->deferred_, undefined);
    return;
  }
  napi_create_string_utf8(env, kOutOfMemory, NAPI_AUTO_LENGTH, &text);
  napi_create_error(env, nullptr, text, &error);
  napi_reject_deferred(env, self->deferred_, error);
}

void AsyncRun::abandon(void* context) {
  auto* self = static_cast<AsyncRun*>(context);
  self->call_.stop->store(1);
  self->waitUntilDone();
}

void AsyncRun::finish(napi_env env, void* context, void*) {
  auto* self = static_cast<AsyncRun*>(context);
  self->waitUntilDone();
  napi_remove_env_cleanup_hook(env, abandon, self);
  napi_delete_reference(env, self->arguments_);
  delete self;
}

}  // namespace selfsame
