/** Tensors of any storage type as vectors of float32. */

constexpr int kLanes = V::kLanes;

/** kLanes elements from element `at` on. */
template <int64_t kType>
SELFSAME_INLINE V::Reg loadAs(const void* data, int64_t at) {
  if constexpr (kType == kFloat16) return V::loadFloat16(static_cast<const uint16_t*>(data) + at);
  if constexpr (kType == kBfloat16) return V::loadBfloat16(static_cast<const uint16_t*>(data) + at);
  return V::load(static_cast<const float*>(data) + at);
}

/** The first n of them, 0 in the other lanes; touches nothing beyond them. */
template <int64_t kType>
SELFSAME_INLINE V::Reg loadTailAs(const void* data, int64_t at, int n) {
  if constexpr (kType == kFloat32) return V::loadTail(static_cast<const float*>(data) + at, n);
  uint16_t bits[kLanes] = {};
  memcpy(bits, static_cast<const uint16_t*>(data) + at, n * sizeof(uint16_t));
  return loadAs<kType>(bits, 0);
}

template <int64_t kType>
SELFSAME_NOINLINE void widenRow(const void* data, int64_t at, float* to, int64_t count) {
  int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) V::store(to + c, loadAs<kType>(data, at + c));
  const int tail = static_cast<int>(count - c);
  if (tail > 0) V::storeTail(to + c, loadTailAs<kType>(data, at + c, tail), tail);
}

/** A row of half precision as float32. */
static void widen(int64_t type, const void* data, int64_t at, float* to, int64_t count) {
  if (type == kFloat16) return widenRow<kFloat16>(data, at, to, count);
  return widenRow<kBfloat16>(data, at, to, count);
}

template <int64_t kType>
SELFSAME_NOINLINE void narrowRow(const float* from, void* data, int64_t at, int64_t count) {
  uint16_t* to = static_cast<uint16_t*>(data) + at;
  uint16_t bits[kLanes];
  for (int64_t c = 0; c < count; c += kLanes) {
    const int64_t left = count - c;
    const V::Reg x = left < kLanes ? V::loadTail(from + c, static_cast<int>(left)) : V::load(from + c);
    if constexpr (kType == kFloat16) {
      V::storeFloat16(bits, x);
    } else {
      V::storeBfloat16(bits, x);
    }
    memcpy(to + c, bits, (left < kLanes ? left : kLanes) * sizeof(uint16_t));
  }
}

/** A row of float32 rounded to half precision. */
static void narrow(int64_t type, const float* from, void* data, int64_t at, int64_t count) {
  if (type == kFloat16) return narrowRow<kFloat16>(from, data, at, count);
  return narrowRow<kBfloat16>(from, data, at, count);
}

static int64_t storageBytes(int64_t type) { return type == kFloat32 ? 4 : 2; }

/** Where element `at` of an array lies. */
static const void* elementOf(int64_t type, const void* data, int64_t at) {
  return static_cast<const char*>(data) + at * storageBytes(type);
}
