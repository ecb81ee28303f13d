#include "scratch.h"

#include <new>

namespace selfsame {
namespace {

constexpr std::align_val_t kCacheLine{64};

struct Scratch {
  void* memory = nullptr;
  size_t bytes = 0;

  ~Scratch() { operator delete(memory, kCacheLine); }
};

}  // namespace

void* threadScratch(ScratchUse use, size_t bytes) {
  thread_local Scratch scratches[2];
  Scratch& scratch = scratches[static_cast<int>(use)];
  if (bytes > scratch.bytes) {
    operator delete(scratch.memory, kCacheLine);
    scratch.memory = operator new(bytes, kCacheLine, std::nothrow);
    scratch.bytes = scratch.memory == nullptr ? 0 : bytes;
  }
  return scratch.memory;
}

}  // namespace selfsame
