/** A plan that is run more than once. */
#pragma once
#include <napi.h>

#include "../attention/driver.h"

namespace selfsame {

/**
 * A plan as a function of q, k, v and out: read, checked and cut into tasks once, so that a call crosses into
 * N-API for those four arrays and nothing else. That it is a function and no handle means that nobody can
 * hand in another thing in its place.
 */
class Prepared {
 public:
  /** The function; it ends with its last reference. */
  static Napi::Value make(Napi::Env env, Call call, const Kernels& kernels, int threads);

 private:
  Prepared(Call call, const Kernels& kernels, int threads);

  static Napi::Value run(const Napi::CallbackInfo& info);

  Call call_;
  const Kernels& kernels_;
  Schedule schedule_;
};

}  // namespace selfsame
