/** Tensors of any storage type as vectors of float32. */

constexpr int kLanes = V::kLanes;

/**
 * Whether few rows read rows of `dim` numbers as they are stored, converting each vector in registers; other
 * rows, and those of plain C++, come as float32 from scratch. Only whole vectors are read, so float16 must
 * have no rest. Codes of int8 may: others, or scales, lie behind them, and whatever is read is finite.
 */
constexpr bool kReadsStored = kLanes > 1;
static bool readsStored(int64_t type, int64_t dim) {
  return kReadsStored && (type == kInt8 || (type == kFloat16 && dim % kLanes == 0));
}

/** kLanes elements from element `at` on. */
template <int64_t kType>
SELFSAME_INLINE V::Reg loadAs(const void* data, int64_t at) {
  if constexpr (kType == kFloat16) return V::loadFloat16(static_cast<const uint16_t*>(data) + at);
  if constexpr (kType == kBfloat16) return V::loadBfloat16(static_cast<const uint16_t*>(data) + at);
  if constexpr (kType == kInt8) return V::loadInt8(static_cast<const int8_t*>(data) + at);
  return V::load(static_cast<const float*>(data) + at);
}

/** The first n of them, 0 in the other lanes; touches nothing beyond them. */
template <int64_t kType>
SELFSAME_INLINE V::Reg loadTailAs(const void* data, int64_t at, int n) {
  if constexpr (kType == kFloat32) return V::loadTail(static_cast<const float*>(data) + at, n);
  if constexpr (kType == kInt8) {
    int8_t codes[kLanes] = {};
    memcpy(codes, static_cast<const int8_t*>(data) + at, n);
    return V::loadInt8(codes);
  }
  uint16_t bits[kLanes] = {};
  memcpy(bits, static_cast<const uint16_t*>(data) + at, n * sizeof(uint16_t));
  return loadAs<kType>(bits, 0);
}

/** With kInt8 the numbers are codes times `scale`; else it is 1. */
template <int64_t kType>
SELFSAME_NOINLINE void widenRow(const void* data, int64_t at, float scale, float* to, int64_t count) {
  const V::Reg factor = V::all(scale);
  int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) {
    const V::Reg x = loadAs<kType>(data, at + c);
    V::store(to + c, kType == kInt8 ? V::mul(x, factor) : x);
  }
  const int tail = static_cast<int>(count - c);
  if (tail == 0) return;
  const V::Reg x = loadTailAs<kType>(data, at + c, tail);
  V::storeTail(to + c, kType == kInt8 ? V::mul(x, factor) : x, tail);
}

/** A row stored otherwise as float32. */
static void widen(int64_t type, const void* data, int64_t at, float scale, float* to, int64_t count) {
  if (type == kInt8) return widenRow<kInt8>(data, at, scale, to, count);
  if (type == kFloat16) return widenRow<kFloat16>(data, at, 1.0f, to, count);
  return widenRow<kBfloat16>(data, at, 1.0f, to, count);
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

/** Where element `at` of an array lies. */
static const void* elementOf(int64_t type, const void* data, int64_t at) {
  return static_cast<const char*>(data) + at * bytesOf(type);
}
