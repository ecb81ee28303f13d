/**
 * Few rows and one chunk of their keys: rows leave their reference, the sum of their weights and an output
 * that is not normalised; when all chunks are done, these are merged in the order of the keys.
 */

/** Keys that few rows take at a time: as long as a step lasts, the next one's rows are on their way to L2. */
constexpr int32_t kStepKeys = 64;
/** The most rows that are cheaper so than with a query in each lane: 12 of them take as long as 16 lanes. */
constexpr int kDotRows = 12;
/** The most rows beyond whole vectors of lanes that are cheaper so than with one more vector. Of 8 lanes it
 * costs less: three of them share what they read. */
constexpr int kLooseRows = kLanes >= 16 ? kLanes / 2 : 0;
static_assert(kChunkKeys % Tile::kBlock == 0 && Tile::kBlock % kStepKeys == 0 && kStepKeys % kWordKeys == 0,
              "steps, blocks and chunks divide each other");

/** The part of a row's range that lies in the keys [begin, end). */
static KeyRange clipRange(const KeyRange& range, int32_t begin, int32_t end) {
  KeyRange part = range;
  part.begin = larger(range.begin, begin);
  part.end = smaller(range.end, end);
  if (range.gapBegin <= part.begin && part.begin < range.gapEnd) part.begin = range.gapEnd;
  if (range.gapBegin < part.end && part.end <= range.gapEnd) part.end = range.gapBegin;
  if (part.end <= part.begin) return kNoKeys;
  const bool gap = part.begin < range.gapBegin && range.gapEnd < part.end;
  if (!gap) part.gapBegin = part.gapEnd = part.begin;
  return part;
}

/** Cuts the ranges of the described rows to one of several chunks, and their outputs go to its partial
 * results. */
static void clipRows(const Call& call, const Task& task, const Workspace& w) {
  const int32_t begin = static_cast<int32_t>(task.chunk * kChunkKeys);
  const int32_t end = begin > INT32_MAX - kChunkKeys ? INT32_MAX : begin + static_cast<int32_t>(kChunkKeys);
  const bool writes = call.wants(kOutput);
  for (int lane = 0; lane < w.vectors * kLanes; ++lane) {
    w.range[lane] = clipRange(w.range[lane], begin, end);
    if (lane < w.rows && writes) w.out[lane] = task.partials.row(task.place, lane);
  }
  reachRows(w, false);
}

/** Makes the described rows those of one chunk. One that is alone has nothing to merge: its rows are the
 * result's own. */
static void openChunk(const Call& call, const Task& task, Workspace& w) {
  w.few = w.rows <= kDotRows;
  const bool merges = task.partials.chunks > 1;
  w.partial = merges || w.few;
  if (merges) clipRows(call, task, w);
  if (!w.few) return;
  while (!w.natural && w.period / 2 >= w.rows) w.period /= 2;
  w.step = kStepKeys;
  for (int i = 0; i < smaller(w.vectors, Tile::kQueryVectors); ++i) fillKeys(scoresOf(w, i), 0, w.step, 0.0f);
}

/** Up to w.step rows of keys, and with `values` of values, from key `first` on, `end` being that of the keys.
 */
static void lookAhead(const Call& call, const Task& task, const Workspace& w, int32_t first, int32_t end,
                      bool values, Ahead* nextKeys, Ahead* nextValues) {
  const Plan& plan = call.plan;
  const int32_t count = smaller(end - first, w.step);
  if (count <= 0) return;
  const int64_t bytes = bytesOf(plan.kvType);
  const int64_t keys = blockAt(call, task, first, plan.kBatch, plan.kHead, plan.kRow, plan.kPage);
  if (keys < 0) return;
  const char* from = static_cast<const char*>(call.k.data) + keys * bytes;
  *nextKeys = {from, plan.kRow * bytes, bytes, plan.headDim, count};
  if (!values) return;
  const int64_t at = blockAt(call, task, first, plan.vBatch, plan.vHead, plan.vRow, plan.vPage);
  from = static_cast<const char*>(call.v.data) + at * bytes;
  *nextValues = {from, plan.vRow * bytes, bytes, plan.valueDim, count};
}

/** Makes whole the sums of rows whose keys lie in several lanes, a period apart. */
static void joinSums(const Workspace& w) {
  for (int row = 0; w.period < kLanes && row < w.rows; ++row)
    for (int lane = row + w.period; lane < kLanes; lane += w.period) w.sum[row] += w.sum[lane];
}

/** Leaves what the chunk has made of the rows. */
static void leaveChunk(const Task& task, const Workspace& w) {
  for (int row = 0; row < w.rows; ++row) {
    task.partials.reference(task.place, row) = w.reference[row];
    task.partials.sum(task.place, row) = w.sum[row];
  }
}

/** `factor` times a row, added to what is there where it resumes. */
SELFSAME_NOINLINE void addPartial(const float* from, float factor, bool resumes, float* to, int64_t count) {
  const V::Reg by = V::all(factor);
  int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes)
    V::store(to + c, V::fma(V::load(from + c), by, resumes ? V::load(to + c) : V::zero()));
  const int tail = static_cast<int>(count - c);
  if (tail == 0) return;
  const V::Reg earlier = resumes ? V::loadTail(to + c, tail) : V::zero();
  V::storeTail(to + c, V::fma(V::loadTail(from + c, tail), by, earlier), tail);
}

/** Divides a row's output by the sum of its weights; zeros where no key has one. */
static void normaliseRow(const Workspace& w, int row, int64_t valueDim) {
  float* out = w.out[row];
  if (out == nullptr) return;
  if (w.sum[row] != 0.0f) {
    addPartial(out, inverseSum(w, row), false, out, valueDim);
  } else {
    memset(out, 0, valueDim * sizeof(float));
  }
}

/** The end of a chunk. */
static void closeChunk(const Call& call, const Task& task, const Workspace& w) {
  if (w.few) joinSums(w);
  if (task.partials.chunks > 1) return leaveChunk(task, w);
  for (int row = 0; w.few && row < w.rows; ++row) normaliseRow(w, row, call.plan.valueDim);
  finishRows(call, task, w);
}

/** What all chunks have left of the described rows becomes their result. */
static void mergeChunks(const Call& call, const Task& task, const Workspace& w) {
  const Partials& partials = task.partials;
  for (int row = 0; row < w.rows; ++row) {
    double best = -INFINITY;
    for (int64_t chunk = 0; chunk < partials.chunks; ++chunk) {
      const double reference = partials.reference(chunk, row);
      if (partials.sum(chunk, row) != 0.0f && !(reference <= best)) best = reference;
    }
    float* out = w.out[row];
    float total = 0.0f;
    bool resumes = false;
    for (int64_t chunk = 0; chunk < partials.chunks; ++chunk) {
      const float sum = partials.sum(chunk, row);
      if (sum == 0.0f) continue;
      const double rise = partials.reference(chunk, row) - best;
      const float factor = static_cast<float>(exp2(w.natural ? rise * 1.44269504088896340736 : rise));
      total += factor * sum;
      if (out != nullptr) addPartial(partials.row(chunk, row), factor, resumes, out, call.plan.valueDim);
      resumes = true;
    }
    w.reference[row] = resumes ? static_cast<float>(best) : 0.0f;
    w.sum[row] = total;
    normaliseRow(w, row, call.plan.valueDim);
  }
  finishRows(call, task, w);
}
