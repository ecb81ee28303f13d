/** From JavaScript's arguments to a checked call. */
#pragma once
#include <napi.h>

#include "../attention/call.h"

namespace selfsame {

/** Arguments of run and runAsync, in order. Arrays may be undefined where the plan does not ask for them. */
enum Argument {
  kIsa,
  kThreads,
  kWords,
  kItems,
  kQArray,
  kKArray,
  kVArray,
  kPagesArray,
  kKeepArray,
  kDropArray,
  kBiasArray,
  kAlibiArray,
  kSinksArray,
  kRowsArray,
  kOutArray,
  kLseArray,
  kWeightsArray,
  kScoresArray,
  kMassArray,
  kStopArray
};

/** Reads the instruction set and the count of threads; null with a pending exception. */
const Kernels* unpackKernels(const Napi::CallbackInfo& info, int* threads);

/** Reads a plan that these kernels can run, and its items; false with a pending exception. */
bool unpackPlan(const Napi::CallbackInfo& info, const Kernels& kernels, Plan* plan, std::vector<Item>* items);

/** Reads and checks a whole call; false with a pending exception. */
bool unpackCall(const Napi::CallbackInfo& info, const Kernels& kernels, Call* call);

}  // namespace selfsame
