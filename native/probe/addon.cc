/** The measuring loops for the bench: which there are, and what each of them measures on this thread. */
#include <napi.h>

#include <string>

#include "../runtime/cpu.h"
#include "isa.h"

namespace selfsame {
namespace {

constexpr double kMostBytes = 4.0 * 1024 * 1024 * 1024;
constexpr double kMostMilliseconds = 10000;

/** The loops that are called so and run on this CPU, or null. */
const Probes* find(const std::string& isa) {
#if defined(__x86_64__) || defined(_M_X64)
  if (isa == "avx512" && cpuFeatures().avx512) return &kAvx512Probes;
  if (isa == "avx2" && cpuFeatures().avx2) return &kAvx2Probes;
#elif defined(__aarch64__) || defined(_M_ARM64)
  if (isa == "neon") return &kNeonProbes;
#endif
  return isa == "scalar" ? &kScalarProbes : nullptr;
}

/** The first argument's loops; null with a pending exception. */
const Probes* readIsa(const Napi::CallbackInfo& info) {
  const std::string isa = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  const Probes* probes = find(isa);
  if (probes == nullptr) {
    Napi::RangeError::New(info.Env(), "isa: '" + isa + "' does not run here").ThrowAsJavaScriptException();
  }
  return probes;
}

/** A number from 1 to `most`; 0 with a pending exception. */
double readNumber(const Napi::CallbackInfo& info, size_t at, const char* name, double most) {
  const double value = info[at].IsNumber() ? info[at].As<Napi::Number>().DoubleValue() : 0;
  if (value >= 1 && value <= most) return value;
  const std::string range = "expected a number from 1 to " + std::to_string(static_cast<int64_t>(most));
  Napi::RangeError::New(info.Env(), std::string(name) + ": " + range).ThrowAsJavaScriptException();
  return 0;
}

/** peak(isa, milliseconds) -> GFLOP/s of multiply-adds in registers. */
Napi::Value measurePeak(const Napi::CallbackInfo& info) {
  const Probes* probes = readIsa(info);
  if (probes == nullptr) return info.Env().Undefined();
  const double milliseconds = readNumber(info, 1, "milliseconds", kMostMilliseconds);
  if (milliseconds == 0) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), peak(*probes, milliseconds));
}

/** bandwidth(isa, bytes, milliseconds) -> GB/s of reading the same bytes again and again. */
Napi::Value measureBandwidth(const Napi::CallbackInfo& info) {
  const Probes* probes = readIsa(info);
  if (probes == nullptr) return info.Env().Undefined();
  const double bytes = readNumber(info, 1, "bytes", kMostBytes);
  if (bytes == 0) return info.Env().Undefined();
  const double milliseconds = readNumber(info, 2, "milliseconds", kMostMilliseconds);
  if (milliseconds == 0) return info.Env().Undefined();
  const double rate = bandwidth(*probes, static_cast<size_t>(bytes), milliseconds);
  if (rate == 0) {
    Napi::Error::New(info.Env(), "bytes: no such memory").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), rate);
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("peak", Napi::Function::New(env, measurePeak));
  exports.Set("bandwidth", Napi::Function::New(env, measureBandwidth));
  return exports;
}

}  // namespace
}  // namespace selfsame

using selfsame::start;
NODE_API_MODULE(selfsame_probe, start)
