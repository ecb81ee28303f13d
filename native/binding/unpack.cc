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
    const char* expected = type == napi_float32_array ? "a Float32Array"
                           : type == napi_int32_array ? "an Int32Array"
                                                      : "a Float64Array";
    Napi::TypeError::New(info.Env(), std::string(name) + ": expected " + expected)
        .ThrowAsJavaScriptException();
    return false;
  }
  *span = {static_cast<T*>(data), data == nullptr ? 0 : length};
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

bool unpackPlan(const Napi::CallbackInfo& info, Plan* plan, std::vector<Item>* items) {
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
  return complaint.empty() || refuse(info.Env(), complaint);
}

bool unpackCall(const Napi::CallbackInfo& info, Call* call) {
  Span<const int32_t> rows;
  Span<int32_t> stop;
  if (!unpackPlan(info, &call->plan, &call->items) ||
      !unpackArray(info, kQ, napi_float32_array, "q", &call->q) ||
      !unpackArray(info, kK, napi_float32_array, "k", &call->k) ||
      !unpackArray(info, kV, napi_float32_array, "v", &call->v) ||
      !unpackArray(info, kOut, napi_float32_array, "out", &call->out) ||
      !unpackArray(info, kLseArray, napi_float32_array, "lse", &call->lse) ||
      !unpackArray(info, kRows, napi_int32_array, "rows", &rows) ||
      !unpackArray(info, kWeightsArray, napi_float32_array, "weights", &call->weights) ||
      !unpackArray(info, kStop, napi_int32_array, "stop", &stop)) {
    return false;
  }
  if ((call->plan.outputs & kOutput) == 0) call->out = {};
  call->hasRows = !info[kRows].IsUndefined() && (call->plan.outputs & kWeights) != 0;
  if (call->hasRows) call->rows.assign(rows.data, rows.data + rows.length);
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t) && std::atomic<int32_t>::is_always_lock_free);
  if (stop.length > 0) call->stop = reinterpret_cast<std::atomic<int32_t>*>(stop.data);
  const std::string complaint = checkSpans(*call);
  return complaint.empty() || refuse(info.Env(), complaint);
}

}  // namespace selfsame
