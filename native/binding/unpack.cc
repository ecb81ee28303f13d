#include "unpack.h"

#include <cstring>
#include <string>

#include "../attention/check.h"
#include "../runtime/dispatch.h"

namespace selfsame {
namespace {

bool refuse(Napi::Env env, const std::string& complaint) {
  Napi::RangeError::New(env, complaint).ThrowAsJavaScriptException();
  return false;
}

const char* nameOf(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array:
      return "a Float32Array";
    case napi_float64_array:
      return "a Float64Array";
    case napi_int32_array:
      return "an Int32Array";
    case napi_uint16_array:
      return "a Uint16Array";
    case napi_uint32_array:
      return "a Uint32Array";
    default:
      return "a Uint8Array";
  }
}

/**
 * A typed array of exactly this type; a detached one comes out with length 0.
 * napi_get_typedarray_info is called as it is because the wrappers of node-addon-api do not check the type.
 */
template <class T>
bool unpackArray(const Napi::CallbackInfo& info, int argument, napi_typedarray_type type, const char* name,
                 Span<T>* span) {
  const Napi::Value value = info[argument];
  if (value.IsUndefined()) return true;
  napi_typedarray_type actual{};
  size_t length = 0;
  void* data = nullptr;
  const bool typed = value.IsTypedArray() && napi_get_typedarray_info(info.Env(), value, &actual, &length,
                                                                      &data, nullptr, nullptr) == napi_ok;
  if (!typed || actual != type) {
    Napi::TypeError::New(info.Env(), std::string(name) + ": expected " + nameOf(type))
        .ThrowAsJavaScriptException();
    return false;
  }
  *span = {static_cast<T*>(data), data == nullptr ? 0 : length};
  return true;
}

/** The array that holds tensors of a storage type. */
napi_typedarray_type arrayOf(int64_t storage) {
  return storage == kFloat32 ? napi_float32_array : napi_uint16_array;
}

napi_typedarray_type maskOf(int64_t bits) { return bits != 0 ? napi_uint32_array : napi_uint8_array; }

/** Reads the arrays of a call; what the plan does not ask for is left out. */
bool unpackArrays(const Napi::CallbackInfo& info, Call* call) {
  const Plan& plan = call->plan;
  if (!unpackArray(info, kQArray, arrayOf(plan.qType), "q", &call->q) ||
      !unpackArray(info, kKArray, arrayOf(plan.kvType), "k", &call->k) ||
      !unpackArray(info, kVArray, arrayOf(plan.kvType), "v", &call->v) ||
      !unpackArray(info, kKeepArray, maskOf(plan.keepBits), "keep", &call->keep) ||
      !unpackArray(info, kDropArray, maskOf(plan.dropBits), "drop", &call->drop) ||
      !unpackArray(info, kBiasArray, arrayOf(plan.biasType), "bias", &call->bias) ||
      !unpackArray(info, kAlibiArray, napi_float32_array, "alibi", &call->alibi) ||
      !unpackArray(info, kSinksArray, napi_float32_array, "sinks", &call->sinks) ||
      !unpackArray(info, kOutArray, arrayOf(plan.outType), "out", &call->out) ||
      !unpackArray(info, kLseArray, napi_float32_array, "lse", &call->lse) ||
      !unpackArray(info, kWeightsArray, napi_float32_array, "weights", &call->weights) ||
      !unpackArray(info, kScoresArray, napi_float32_array, "scores", &call->scores) ||
      !unpackArray(info, kMassArray, napi_float32_array, "mass", &call->mass)) {
    return false;
  }
  if (!call->wants(kOutput)) call->out = {};
  if (!call->wants(kWeights)) call->weights = {};
  if (!call->wants(kScores)) call->scores = {};
  return true;
}

}  // namespace

const Kernels* unpackKernels(const Napi::CallbackInfo& info, int* threads) {
  const std::string isa = info[kIsa].IsString() ? info[kIsa].As<Napi::String>().Utf8Value() : "";
  const double wanted = info[kThreads].IsNumber() ? info[kThreads].As<Napi::Number>().DoubleValue() : 0;
  constexpr double kMostThreads = 1024;
  if (!(wanted >= 1)) {
    refuse(info.Env(), "threads: expected at least 1");
    return nullptr;
  }
  *threads = static_cast<int>(wanted < kMostThreads ? wanted : kMostThreads);
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported && isa == candidate.kernels->isa) return candidate.kernels;
  }
  refuse(info.Env(), "isa: '" + isa + "' does not run here");
  return nullptr;
}

bool unpackPlan(const Napi::CallbackInfo& info, const Kernels& kernels, Plan* plan,
                std::vector<Item>* items) {
  Span<const double> words;
  Span<const int32_t> itemWords;
  if (!unpackArray(info, kWords, napi_float64_array, "words", &words) ||
      !unpackArray(info, kItems, napi_int32_array, "items", &itemWords)) {
    return false;
  }
  std::string complaint = readPlan(words.data, words.length, *plan);
  if (!complaint.empty()) return refuse(info.Env(), complaint);
  if (itemWords.length % kItemWords != 0) return refuse(info.Env(), "items: not a whole number of items");
  items->resize(itemWords.length / kItemWords);
  if (!items->empty()) std::memcpy(items->data(), itemWords.data, itemWords.length * sizeof(int32_t));
  complaint = checkItems(*plan, *items);
  // Their instructions would be illegal here.
  if ((plan->features & kPrecisions & ~precisionsOf(kernels)) != 0)
    return refuse(info.Env(), "plan.features: a precision that does not run here");
  return complaint.empty() || refuse(info.Env(), complaint);
}

bool unpackCall(const Napi::CallbackInfo& info, const Kernels& kernels, Call* call) {
  Span<const int32_t> rows, pages;
  Span<int32_t> stop;
  if (!unpackPlan(info, kernels, &call->plan, &call->items) || !unpackArrays(info, call) ||
      !unpackArray(info, kRowsArray, napi_int32_array, "rows", &rows) ||
      !unpackArray(info, kPagesArray, napi_int32_array, "pages", &pages) ||
      !unpackArray(info, kStopArray, napi_int32_array, "stop", &stop)) {
    return false;
  }
  call->hasRows = !info[kRowsArray].IsUndefined() &&
                  (call->wants(kWeights) || call->wants(kScores) || call->wants(kMass));
  if (call->hasRows) call->rows.assign(rows.data, rows.data + rows.length);
  if (call->plan.pageKeys != 0) call->pages.assign(pages.data, pages.data + pages.length);
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t) && std::atomic<int32_t>::is_always_lock_free);
  if (stop.length > 0) call->stop = reinterpret_cast<std::atomic<int32_t>*>(stop.data);
  const std::string complaint = checkSpans(*call);
  return complaint.empty() || refuse(info.Env(), complaint);
}

}  // namespace selfsame
