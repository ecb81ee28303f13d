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
    case napi_int8_array:
      return "an Int8Array";
    case napi_uint32_array:
      return "a Uint32Array";
    default:
      return "a Uint8Array";
  }
}

/**
 * A typed array of exactly this type; a detached one comes out with length 0, undefined as no array.
 * napi_get_typedarray_info is called as it is because the wrappers of node-addon-api do not check the type.
 */
template <class T>
bool unpackArray(const Napi::CallbackInfo& info, int argument, napi_typedarray_type type, const char* name,
                 Span<T>* span) {
  const Napi::Value value = info[argument];
  napi_typedarray_type actual{};
  size_t length = 0;
  void* data = nullptr;
  // Asked at once and not after what it is: it refuses all that is no typed array, and each question costs 10
  // ns.
  const bool typed =
      napi_get_typedarray_info(info.Env(), value, &actual, &length, &data, nullptr, nullptr) == napi_ok;
  if (!typed && value.IsUndefined()) {
    *span = {};
    return true;
  }
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
  if (storage == kInt8) return napi_int8_array;
  return storage == kFloat32 ? napi_float32_array : napi_uint16_array;
}

napi_typedarray_type maskOf(int64_t bits) { return bits != 0 ? napi_uint32_array : napi_uint8_array; }

/**
 * Reads the arrays that the plan asks for beside these tensors. The others are not so much as looked at: each
 * question to N-API costs 15 ns, and of a plain call's sixteen arrays only four are there.
 */
bool unpackOptions(const Napi::CallbackInfo& info, Call* call) {
  const Plan& plan = call->plan;
  const auto optional = [&](bool asked, int argument, napi_typedarray_type type, const char* name,
                            auto* span) { return !asked || unpackArray(info, argument, type, name, span); };
  const auto option = [&](Feature feature, int argument, napi_typedarray_type type, const char* name,
                          auto* span) { return optional(call->has(feature), argument, type, name, span); };
  const auto result = [&](Output output, int argument, const char* name, Span<float>* span) {
    return optional(call->wants(output), argument, napi_float32_array, name, span);
  };
  return option(kKeep, kKeepArray, maskOf(plan.keepBits), "keep", &call->keep) &&
         option(kDrop, kDropArray, maskOf(plan.dropBits), "drop", &call->drop) &&
         option(kBias, kBiasArray, arrayOf(plan.biasType), "bias", &call->bias) &&
         option(kAlibi, kAlibiArray, napi_float32_array, "alibi", &call->alibi) &&
         option(kSinks, kSinksArray, napi_float32_array, "sinks", &call->sinks) &&
         result(kLse, kLseArray, "lse", &call->lse) &&
         result(kWeights, kWeightsArray, "weights", &call->weights) &&
         result(kScores, kScoresArray, "scores", &call->scores) &&
         result(kMass, kMassArray, "mass", &call->mass);
}

}  // namespace

const Kernels* unpackKernels(const Napi::CallbackInfo& info, int* threads) {
  char isa[16] = "";
  napi_get_value_string_utf8(info.Env(), info[kIsa], isa, sizeof isa, nullptr);
  const double wanted = info[kThreads].IsNumber() ? info[kThreads].As<Napi::Number>().DoubleValue() : 0;
  constexpr double kMostThreads = 1024;
  if (!(wanted >= 1)) {
    refuse(info.Env(), "threads: expected at least 1");
    return nullptr;
  }
  *threads = static_cast<int>(wanted < kMostThreads ? wanted : kMostThreads);
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported && std::strcmp(isa, candidate.kernels->isa) == 0) return candidate.kernels;
  }
  refuse(info.Env(), std::string("isa: '") + isa + "' does not run here");
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

bool unpackTensors(const Napi::CallbackInfo& info, const Tensors& at, Call* call) {
  const Plan& plan = call->plan;
  return unpackArray(info, at.q, arrayOf(plan.qType), "q", &call->q) &&
         unpackArray(info, at.k, arrayOf(plan.kvType), "k", &call->k) &&
         unpackArray(info, at.v, arrayOf(plan.kvType), "v", &call->v) &&
         (!call->wants(kOutput) || unpackArray(info, at.out, arrayOf(plan.outType), "out", &call->out));
}

bool checkArrays(const Napi::CallbackInfo& info, const Call& call) {
  const std::string complaint = checkSpans(call);
  return complaint.empty() || refuse(info.Env(), complaint);
}

bool unpackCall(const Napi::CallbackInfo& info, const Kernels& kernels, Call* call) {
  if (!unpackPlan(info, kernels, &call->plan, &call->items)) return false;
  if (!unpackTensors(info, {kQArray, kKArray, kVArray, kOutArray}, call) || !unpackOptions(info, call))
    return false;
  if (call->wants(kWeights) || call->wants(kScores) || call->wants(kMass)) {
    Span<const int32_t> rows;
    if (!unpackArray(info, kRowsArray, napi_int32_array, "rows", &rows)) return false;
    call->hasRows = !info[kRowsArray].IsUndefined();
    call->rows.assign(rows.data, rows.data + rows.length);
  }
  if (call->plan.pageKeys != 0) {
    Span<const int32_t> pages;
    if (!unpackArray(info, kPagesArray, napi_int32_array, "pages", &pages)) return false;
    call->pages.assign(pages.data, pages.data + pages.length);
  }
  return checkArrays(info, *call);
}

bool unpackStop(const Napi::CallbackInfo& info, Call* call) {
  Span<int32_t> stop;
  if (!unpackArray(info, kStopArray, napi_int32_array, "stop", &stop)) return false;
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t) && std::atomic<int32_t>::is_always_lock_free);
  if (stop.length > 0) call->stop = reinterpret_cast<std::atomic<int32_t>*>(stop.data);
  if (call->stop != nullptr) return true;
  Napi::TypeError::New(info.Env(), "stop: expected an Int32Array").ThrowAsJavaScriptException();
  return false;
}

}  // namespace selfsame
