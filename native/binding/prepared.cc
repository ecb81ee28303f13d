#include "prepared.h"

#include <utility>

#include "unpack.h"

namespace selfsame {

Prepared::Prepared(Call call, const Kernels& kernels, int threads)
    : call_(std::move(call)),
      kernels_(kernels),
      schedule_(schedule(call_.plan, call_.items, kAllRows, kernels, threads)) {}

Napi::Value Prepared::make(Napi::Env env, Call call, const Kernels& kernels, int threads) {
  auto* self = new Prepared(std::move(call), kernels, threads);
  const Napi::Function function = Napi::Function::New<run>(env, "prepared", self);
  function.AddFinalizer([](Napi::Env, Prepared* prepared) { delete prepared; }, self);
  return function;
}

Napi::Value Prepared::run(const Napi::CallbackInfo& info) {
  auto* self = static_cast<Prepared*>(info.Data());
  if (!unpackTensors(info, {0, 1, 2, 3}, &self->call_) || !checkArrays(info, self->call_)) return {};
  if (!runCall(self->call_, self->kernels_, self->schedule_))
    Napi::Error::New(info.Env(), kOutOfMemory).ThrowAsJavaScriptException();
  return {};
}

}  // namespace selfsame
