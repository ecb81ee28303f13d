/**
 * The addon: unpack, check, run. What a call means has been settled in TypeScript; nothing here is static,
 * so any number of environments (worker_threads) may load it.
 */
#include <napi.h>

#include <string>
#include <utility>

#include "attention/driver.h"
#include "binding/async_run.h"
#include "binding/prepared.h"
#include "binding/unpack.h"
#include "runtime/cores.h"
#include "runtime/dispatch.h"
#include "runtime/pages.h"
#include "runtime/pool.h"

namespace selfsame {
namespace {

/** What comes before the name of a kernel. */
const char* precisionPrefix(const Plan& plan) {
  if ((plan.features & kAsInt16) != 0) return "int16 ";
  if ((plan.features & kAsInt8) != 0) return "int8 ";
  if ((plan.features & kAsBfloat16) != 0) return "bfloat16 ";
  return "";
}

class Binding : public Napi::Addon<Binding> {
 public:
  Binding(Napi::Env env, Napi::Object exports) {
    holdPool();
    Napi::Array isas = Napi::Array::New(env);
    for (const Candidate& candidate : candidates()) {
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("isa", candidate.kernels->isa);
      entry.Set("supported", candidate.supported);
      entry.Set("precisions", static_cast<double>(precisionsOf(*candidate.kernels)));
      isas.Set(isas.Length(), entry);
    }
    DefineAddon(exports,
                {InstanceValue("planWords", Napi::Number::New(env, kPlanWords), napi_enumerable),
                 InstanceValue("isas", isas, napi_enumerable),
                 InstanceValue("cores", Napi::Number::New(env, availableCores()), napi_enumerable),
                 InstanceMethod("run", &Binding::run), InstanceMethod("runAsync", &Binding::runAsync),
                 InstanceMethod("prepare", &Binding::prepare), InstanceMethod("describe", &Binding::describe),
                 InstanceMethod("preferLargePages", &Binding::preferLargePages)});
  }

  ~Binding() { releasePool(); }

 private:
  /** Arguments as unpack.h lists them. */
  Napi::Value run(const Napi::CallbackInfo& info) {
    int threads = 1;
    Call call;
    const Kernels* kernels = unpackKernels(info, &threads);
    if (kernels == nullptr || !unpackCall(info, *kernels, &call)) return info.Env().Undefined();
    if (!runCall(call, *kernels, threads)) {
      Napi::Error::New(info.Env(), kOutOfMemory).ThrowAsJavaScriptException();
    }
    return info.Env().Undefined();
  }

  /** The same with `stop` as a last argument; a promise. */
  Napi::Value runAsync(const Napi::CallbackInfo& info) {
    int threads = 1;
    Call call;
    const Kernels* kernels = unpackKernels(info, &threads);
    if (kernels == nullptr || !unpackCall(info, *kernels, &call) || !unpackStop(info, &call))
      return info.Env().Undefined();
    return AsyncRun::start(info, std::move(call), *kernels, threads);
  }

  /** prepare(isa, threads, words, items): a function of q, k, v and out. */
  Napi::Value prepare(const Napi::CallbackInfo& info) {
    int threads = 1;
    Call call;
    const Kernels* kernels = unpackKernels(info, &threads);
    if (kernels == nullptr || !unpackPlan(info, *kernels, &call.plan, &call.items))
      return info.Env().Undefined();
    return Prepared::make(info.Env(), std::move(call), *kernels, threads);
  }

  /** describe(isa, threads, words, items) */
  Napi::Value describe(const Napi::CallbackInfo& info) {
    int threads = 1;
    Plan plan;
    std::vector<Item> items;
    const Kernels* kernels = unpackKernels(info, &threads);
    if (kernels == nullptr || !unpackPlan(info, *kernels, &plan, &items)) return info.Env().Undefined();
    const Schedule how = schedule(plan, items, kAllRows, *kernels, threads);
    Napi::Object tile = Napi::Object::New(info.Env());
    tile.Set("queries", kernels->tileQueries);
    tile.Set("keys", kernels->tileKeys);
    tile.Set("block", kernels->block);
    Napi::Object result = Napi::Object::New(info.Env());
    const bool decodes = how.split > 0, prefills = !decodes || how.prefills;
    std::string kernel = prefills ? std::string(precisionPrefix(plan)) + "prefill" : "";
    if (decodes) kernel += prefills ? ", decode" : "decode";
    result.Set("kernel", kernel);
    result.Set("tile", tile);
    result.Set("split", static_cast<double>(decodes ? how.split : 1));
    result.Set("tasks", static_cast<double>(how.tasks));
    result.Set("scratchBytes",
               static_cast<double>(kernels->workspaceBytes(plan, how.workspaceRows)) + how.partialBytes);
    return result;
  }

  /** preferLargePages(array): for storage that nobody has written to yet. */
  Napi::Value preferLargePages(const Napi::CallbackInfo& info) {
    const Napi::Value value = info.Length() > 0 ? info[0] : info.Env().Undefined();
    if (!value.IsTypedArray()) {
      Napi::TypeError::New(info.Env(), "array: expected a typed array").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    const Napi::TypedArray array = value.As<Napi::TypedArray>();
    char* memory = static_cast<char*>(array.ArrayBuffer().Data());
    selfsame::preferLargePages(memory + array.ByteOffset(), array.ByteLength());
    return info.Env().Undefined();
  }
};

}  // namespace

}  // namespace selfsame

using SelfsameBinding = selfsame::Binding;
NODE_API_NAMED_ADDON(selfsame, SelfsameBinding)
