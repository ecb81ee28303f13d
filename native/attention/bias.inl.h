/** Softcap, bias and ALiBi: products of one block and vector become real scores, step by step. */

/** softcap * tanh(score / softcap). */
SELFSAME_NOINLINE void capScores(float* scores, int32_t count, float softcap) {
  const V::Reg inner = V::all(1.0f / softcap), outer = V::all(softcap);
  for (int32_t key = 0; key < count; ++key) {
    float* row = scores + key * kLanes;
    V::store(row, V::mul(outer, hyperbolicTangent(V::mul(V::load(row), inner))));
  }
}

/** Adds -slope * |position - key|; `first` is the first of these keys. */
SELFSAME_NOINLINE void addAlibi(float* scores, int32_t count, const float* slope, const float* position,
                                int32_t first) {
  const V::Reg down = V::sub(V::zero(), V::load(slope));
  const V::Reg origin = V::sub(V::load(position), V::all(static_cast<float>(first)));
  for (int32_t key = 0; key < count; ++key) {
    float* row = scores + key * kLanes;
    const V::Reg ahead = V::sub(origin, V::all(static_cast<float>(key)));
    const V::Reg distance = V::max(ahead, V::sub(V::zero(), ahead));
    V::store(row, V::fma(down, distance, V::load(row)));
  }
}

/** Adds one vector of bias; a lane in which it is -inf loses the key. */
SELFSAME_INLINE void addBiasRow(float* row, V::Reg bias, uint32_t bit, V::Reg& visible) {
  V::store(row, V::add(V::load(row), bias));
  const V::Mask hidden = V::equal(bias, V::all(-INFINITY));
  if (V::any(hidden)) visible = V::dropBit(visible, hidden, bit);
}

/** Bias of kLanes keys from key `at` on of every lane's row, turned so that lanes are rows; `left` keys
 * remain. */
template <int64_t kType>
SELFSAME_INLINE void loadBias(const void* const* rows, int64_t at, int64_t left, V::Reg (&bias)[kLanes]) {
  if (left >= kLanes) {
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) bias[i] = loadAs<kType>(rows[i], at);
  } else {
    SELFSAME_UNROLL
    for (int i = 0; i < kLanes; ++i) bias[i] = loadTailAs<kType>(rows[i], at, static_cast<int>(left));
  }
  V::transpose(bias);
}

/** One number of a bias. */
template <int64_t kType>
SELFSAME_INLINE float biasAt(const void* row, int64_t at) {
  if constexpr (kType == kFloat32) return static_cast<const float*>(row)[at];
  float lanes[kLanes];
  V::store(lanes, loadTailAs<kType>(row, at, 1));
  return lanes[0];
}

/**
 * Adds bias to the scores of the block's keys [from, to), by whole groups of kLanes keys;
 * `column` is the tensor's key of the block's first, `keys` how many it has.
 */
template <int64_t kType>
SELFSAME_NOINLINE void addBiasOf(float* scores, int32_t from, int32_t to, const void* const* rows,
                                 int64_t column, int64_t keys, float* visible) {
  static_assert(kWordKeys % kLanes == 0, "a group of keys lies in one word");
  bool same = true;
  for (int i = 1; i < kLanes; ++i) same = same && rows[i] == rows[0];
  for (int32_t key = from - from % kLanes; key < to; key += kLanes) {
    float* word = visible + key / kWordKeys * kLanes;
    V::Reg seen = V::load(word);
    const int64_t left = keys - column - key;
    if (same) {
      const int32_t most = left < kLanes ? static_cast<int32_t>(left) : kLanes;
      for (int t = 0; t < most; ++t) {
        addBiasRow(scores + (key + t) * kLanes, V::all(biasAt<kType>(rows[0], column + key + t)),
                   1u << ((key + t) % kWordKeys), seen);
      }
    } else {
      V::Reg bias[kLanes];
      loadBias<kType>(rows, column + key, left, bias);
      SELFSAME_UNROLL
      for (int t = 0; t < kLanes; ++t) {
        addBiasRow(scores + (key + t) * kLanes, bias[t], 1u << ((key + t) % kWordKeys), seen);
      }
    }
    V::store(word, seen);
  }
}

static void addBias(int64_t type, float* scores, int32_t from, int32_t to, const void* const* rows,
                    int64_t column, int64_t keys, float* visible) {
  if (type == kFloat16) return addBiasOf<kFloat16>(scores, from, to, rows, column, keys, visible);
  if (type == kBfloat16) return addBiasOf<kBfloat16>(scores, from, to, rows, column, keys, visible);
  addBiasOf<kFloat32>(scores, from, to, rows, column, keys, visible);
}
