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
  /** Whether a weight of 0 is enough to keep a masked value out: 0 * NaN would not be. */
  bool finite;
  /** Whether the rows at hand have seen none before. */
  bool opens;
  /** What to ask memory for meanwhile. */
  Ahead nextKeys;
  Ahead nextValues;
};

/** Whether rows [from, to) of `dim` channels hold neither NaN nor infinity: such a number times 0 is no 0. */
SELFSAME_NOINLINE bool allFinite(const float* rows, int64_t row, int32_t from, int32_t to, int64_t dim) {
  V::Reg sum = V::zero();
  const int tail = static_cast<int>(dim % kLanes);
  for (int32_t i = from; i < to; ++i) {
    const float* at = rows + i * row;
    for (int64_t c = 0; c + kLanes <= dim; c += kLanes) sum = V::fma(V::load(at + c), V::zero(), sum);
    if (tail != 0) sum = V::fma(V::loadTail(at + dim - tail, tail), V::zero(), sum);
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

/** Rows [from, to) of k or v as float32. */
static const float* blockRows(int64_t type, const void* data, int64_t at, int64_t* row, float* copy,
                              int64_t dim, int32_t from, int32_t to) {
  if (type == kFloat32) return static_cast<const float*>(data) + at;
  for (int32_t i = from; i < to; ++i) widen(type, data, at + i * *row, copy + i * dim, dim);
  *row = dim;
  return copy;
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
  block->keyRow = plan.kRow;
  block->keys =
      blockRows(plan.kvType, call.k.data, keysAt, &block->keyRow, w.blockKeys, plan.headDim, from, to);
  block->finite = true;
  if (!values) return true;
  const int64_t valuesAt = blockAt(call, task, first, plan.vBatch, plan.vHead, plan.vRow, plan.vPage);
  block->valueRow = plan.vRow;
  block->values =
      blockRows(plan.kvType, call.v.data, valuesAt, &block->valueRow, w.blockValues, plan.valueDim, from, to);
  const bool shared = !w.masked && part.begin == part.innerBegin && part.end == part.innerEnd;
  block->finite = shared || allFinite(block->values, block->valueRow, part.begin - first, part.end - first,
                                      plan.valueDim);
  return true;
}
