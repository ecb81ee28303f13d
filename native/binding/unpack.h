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

/** Which arguments are the arrays that every plain call has. */
struct Tensors {
  int q, k, v, out;
};

/** Reads these arrays, whose types the plan names; false with a pending exception. */
bool unpackTensors(const Napi::CallbackInfo& info, const Tensors& at, Call* call);

/** Holds the arrays of a call against its plan; false with a pending exception. */
bool checkArrays(const Napi::CallbackInfo& info, const Call& call);

/** Reads and checks a whole call; false with a pending exception. */
bool unpackCall(const Napi::CallbackInfo& info, const Kernels& kernels, Call* call);

/** Reads the last argument of runAsync, an Int32Array whose first element stops the work once it is not 0;
 * false with a pending exception. */
bool unpackStop(const Napi::CallbackInfo& info, Call* call);

}  // namespace selfsame
