/** One block of keys and values, wherever and however they are stored. */

/**
 * Rows that will be read soon, as they lie in memory: as row i of a block is worked on, row i of these is
 * asked for, line by line, so that memory never waits.
 */
struct Ahead {
  const char* rows = nullptr;
  /** Bytes of a row, from one to the next, and of one of its `dim` channels. */
  int64_t stride = 0;
  int64_t channel = 0;
  int64_t dim = 0;
  int32_t count = 0;

  const char* row(int32_t i) const { return rows + smaller(i, count - 1) * stride; }
};

/** The rows of N keys that are asked for while N others are worked on. */
template <int N>
struct KeysAhead {
  const char* rows[N];
  int64_t channel;
};

template <int N>
static KeysAhead<N> keysAhead(const Ahead& ahead, int32_t key) {
  KeysAhead<N> next;
  next.channel = ahead.channel;
  for (int t = 0; t < N; ++t) next.rows[t] = ahead.row(key + t);
  return next;
}

/** Rows of a block as they are stored, for kernels that convert them in registers. */
struct StoredRows {
  /** kFloat32 where there are none. */
  int64_t type = kFloat32;
  const void* rows = nullptr;
  int64_t row = 0;
  /** Of int8: the scale of each key, `period` times as its scores lie. */
  const float* scales = nullptr;
};

/** Rows of a block by their place in it: key `first + i` has row i. */
struct Block {
  int32_t first;
  /** Where the next one begins. */
  int32_t end;
  /** Rows there are; only the last block of an item has fewer than kBlock. */
  int32_t count;
  const float* keys;
  int64_t keyRow;
  const float* values;
  int64_t valueRow;
  /** In their place. */
  StoredRows storedKeys;
  StoredRows storedValues;
  /** Whether a weight of 0 is enough to keep a masked value out: 0 * NaN would not be. */
  bool finite;
  /** Whether the rows at hand have seen none before. */
  bool opens = false;
  /** Whether they see none behind it. */
  bool closes = false;
  /** What to ask memory for meanwhile. */
  Ahead nextKeys;
  Ahead nextValues;
};

/** Whether rows [from, to) of `dim` channels hold neither NaN nor infinity: such a number times 0 is no 0. */
template <int64_t kType>
SELFSAME_NOINLINE bool allFinite(const void* rows, int64_t row, int32_t from, int32_t to, int64_t dim) {
  V::Reg sum = V::zero();
  const int tail = static_cast<int>(dim % kLanes);
  for (int32_t i = from; i < to; ++i) {
    const int64_t at = i * row;
    for (int64_t c = 0; c + kLanes <= dim; c += kLanes)
      sum = V::fma(loadAs<kType>(rows, at + c), V::zero(), sum);
    if (tail != 0) sum = V::fma(loadTailAs<kType>(rows, at + dim - tail, tail), V::zero(), sum);
  }
  float lanes[kLanes];
  V::store(lanes, sum);
  for (float lane : lanes) {
    if (lane != 0.0f) return false;
  }
  return true;
}

/** Where the first key of a block lies in k or v, in elements; -1 on a page that is not there. */
static int64_t blockAt(const Call& call, const Task& task, int32_t first, int64_t batch, int64_t head,
                       int64_t row, int64_t page) {
  const Plan& plan = call.plan;
  if (plan.pageKeys == 0) {
    return task.item * batch + task.kvHead * head + (call.items[task.item].keyFirst + first) * row;
  }
  const int32_t number = call.pages[task.item * plan.pagesPerItem + first / plan.pageKeys];
  return number < 0 ? -1 : number * page + task.kvHead * head + first % plan.pageKeys * row;
}

/** Stored rows of a block as rows to ask for. */
static Ahead storedAhead(const StoredRows& rows, int64_t dim, int32_t count) {
  const int64_t bytes = bytesOf(rows.type);
  return {static_cast<const char*>(rows.rows), rows.row * bytes, bytes, dim, count};
}

/** The scales of a block of int8, whose first key `first` lies at `at`; null for other types. */
static const char* scalesOf(const Plan& plan, const void* data, int64_t at, int64_t row, int32_t first) {
  if (plan.kvType != kInt8) return nullptr;
  const int64_t place = first % plan.pageKeys;
  return static_cast<const char*>(data) + at + (plan.pageKeys - place) * row + place * kScaleBytes;
}

static float scaleAt(const char* scales, int32_t key) {
  float scale = 1.0f;
  if (scales != nullptr) memcpy(&scale, scales + key * kScaleBytes, sizeof(scale));
  return scale;
}

/** Rows [from, to) of k or v as float32. */
static const float* blockRows(int64_t type, const void* data, int64_t at, const char* scales, int64_t* row,
                              float* copy, int64_t dim, int32_t from, int32_t to) {
  if (type == kFloat32) return static_cast<const float*>(data) + at;
  for (int32_t i = from; i < to; ++i)
    widen(type, data, at + i * *row, scaleAt(scales, i), copy + i * dim, dim);
  *row = dim;
  return copy;
}

/** Each of `count` scales `period` times: kPeriod or a half, a quarter of it. */
template <int kPeriod>
static void spreadScales(const char* scales, int32_t count, int period, float* spread) {
  if constexpr (kPeriod > 1) {
    if (period < kPeriod) return spreadScales<kPeriod / 2>(scales, count, period, spread);
  }
  for (int32_t key = 0; key < count; ++key) {
    const float scale = scaleAt(scales, key);
    SELFSAME_UNROLL
    for (int i = 0; i < kPeriod; ++i) spread[key * kPeriod + i] = scale;
  }
}

/** The rows of a step as they are stored. A page always has all of them, and their scales. */
static StoredRows storedRows(const Workspace& w, int64_t type, const void* data, int64_t at,
                             const char* scales, int64_t row, float* spread) {
  const StoredRows stored{type, elementOf(type, data, at), row, scales == nullptr ? nullptr : spread};
  if (scales == nullptr) return stored;
  spreadScales<kLanes>(scales, w.step, w.period, spread);
  // Those of the next step: in the same page, but for its last.
  for (int64_t line = 0; line < w.step * kScaleBytes; line += 64)
    V::prefetch(scales + w.step * kScaleBytes + line);
  return stored;
}

/**
 * The block that begins at key `first`, of whose keys the rows at hand reach `part`; `end` is that of the
 * keys. False where its page is not there.
 */
static bool openBlock(const Call& call, const Task& task, const Workspace& w, int32_t first, int32_t end,
                      const Reach& part, bool values, Block* block) {
  const Plan& plan = call.plan;
  const int64_t keysAt = blockAt(call, task, first, plan.kBatch, plan.kHead, plan.kRow, plan.kPage);
  if (keysAt < 0) return false;
  block->first = first;
  block->end = first + w.step;
  block->count = smaller(end - first, w.step);
  // Tiles begin at multiples of their height, and read all rows they have.
  const int32_t from = (part.begin - first) / Tile::kKeys * Tile::kKeys;
  const int32_t to = smaller((part.end - first + Tile::kKeys - 1) / Tile::kKeys * Tile::kKeys, block->count);
  const char* scales = scalesOf(plan, call.k.data, keysAt, plan.kRow, first);
  block->keyRow = plan.kRow;
  if (w.few && readsStored(plan.kvType, plan.headDim)) {
    block->storedKeys = storedRows(w, plan.kvType, call.k.data, keysAt, scales, plan.kRow, w.keyScales);
  } else {
    block->keys = blockRows(plan.kvType, call.k.data, keysAt, scales, &block->keyRow, w.blockKeys,
                            plan.headDim, from, to);
  }
  block->finite = true;
  if (!values) return true;
  const int64_t valuesAt = blockAt(call, task, first, plan.vBatch, plan.vHead, plan.vRow, plan.vPage);
  scales = scalesOf(plan, call.v.data, valuesAt, plan.vRow, first);
  block->valueRow = plan.vRow;
  const bool shared = !w.masked && part.begin == part.innerBegin && part.end == part.innerEnd;
  // What they become is whole vectors too, and may be a row of the caller's.
  if (w.few && readsStored(plan.kvType, plan.valueDim) && plan.valueDim % kLanes == 0) {
    block->storedValues = storedRows(w, plan.kvType, call.v.data, valuesAt, scales, plan.vRow, w.valueScales);
    // Codes and scales are finite.
    block->finite = shared || plan.kvType == kInt8 ||
                    allFinite<kFloat16>(block->storedValues.rows, plan.vRow, part.begin - first,
                                        part.end - first, plan.valueDim);
    if (block->finite) return true;
    block->storedValues = {};
  }
  block->values = blockRows(plan.kvType, call.v.data, valuesAt, scales, &block->valueRow, w.blockValues,
                            plan.valueDim, from, to);
  block->finite = shared || allFinite<kFloat32>(block->values, block->valueRow, part.begin - first,
                                                part.end - first, plan.valueDim);
  return true;
}
