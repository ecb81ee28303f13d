/** Where the rows of a task lie, and which keys they reach. */

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/** How many of the vectors that are left make the next tile: never one alone where two pairs do. */
SELFSAME_INLINE int nextVectors(int64_t left, int most) {
  if (left >= most + 2 || left <= most) return left < most ? static_cast<int>(left) : most;
  return static_cast<int>((left + 1) / 2);
}

/** The reach of a vector of rows. A row without keys adds nothing to the outer range and empties the inner
 * one. */
static Reach reachOfRows(const KeyRange* range) {
  Reach reach{kNoKeys.begin, kNoKeys.end, 0, INT32_MAX, 0, INT32_MAX};
  for (int i = 0; i < kLanes; ++i) {
    reach.begin = smaller(reach.begin, range[i].begin);
    reach.end = larger(reach.end, range[i].end);
    const bool gap = range[i].gapBegin < range[i].gapEnd;
    reach.innerBegin = larger(reach.innerBegin, gap ? range[i].gapEnd : range[i].begin);
    reach.innerEnd = smaller(reach.innerEnd, range[i].end);
    if (range[i].end <= range[i].begin) continue;
    reach.gapBegin = larger(reach.gapBegin, range[i].gapBegin);
    reach.gapEnd = smaller(reach.gapEnd, range[i].gapEnd);
  }
  return reach;
}

/** The reach of several vectors together. */
static Reach reachOfAll(const Reach* parts, int count) {
  Reach reach = parts[0];
  for (int i = 1; i < count; ++i) {
    reach.begin = smaller(reach.begin, parts[i].begin);
    reach.end = larger(reach.end, parts[i].end);
    reach.innerBegin = larger(reach.innerBegin, parts[i].innerBegin);
    reach.innerEnd = smaller(reach.innerEnd, parts[i].innerEnd);
    reach.gapBegin = larger(reach.gapBegin, parts[i].gapBegin);
    reach.gapEnd = smaller(reach.gapEnd, parts[i].gapEnd);
  }
  return reach;
}

static int32_t clampTo(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

/** The part of a reach that lies in the keys [begin, end). The inner part comes out ordered, perhaps empty.
 */
static Reach within(const Reach& reach, int32_t begin, int32_t end) {
  Reach part = reach;
  part.begin = clampTo(reach.begin, begin, end);
  part.end = clampTo(reach.end, begin, end);
  if (part.end < part.begin || (reach.gapBegin <= part.begin && part.end <= reach.gapEnd))
    part.end = part.begin;
  part.innerBegin = clampTo(reach.innerBegin, part.begin, part.end);
  part.innerEnd = clampTo(reach.innerEnd, part.innerBegin, part.end);
  return part;
}

/** Reaches of the vectors from the ranges of their rows, which may be known to be alike. */
static void reachRows(const Workspace& w, bool alike) {
  for (int i = 0; i < w.vectors; ++i)
    w.vectorReach[i] = alike && i > 0 ? w.vectorReach[0] : reachOfRows(w.range + i * kLanes);
}

/** The query row that a stacked row stands for, and its head. */
struct RowOf {
  int64_t row;
  int64_t head;
};

static RowOf rowOf(const Call& call, const Task& task, int64_t stacked) {
  const int64_t slot = stacked / task.group;
  const bool selected = call.hasRows && task.shows();
  return {selected ? call.rows[slot] : slot, task.head + stacked % task.group};
}

/** Where a row of a mask begins. */
static const void* maskRow(const Span<const void>& mask, int64_t bits, int64_t at) {
  return static_cast<const char*>(mask.data) + at * (bits != 0 ? 4 : 1);
}

/** Points a lane at what options give to its row. */
static void pointLane(const Call& call, const Task& task, const Workspace& w, int lane, const RowOf& of) {
  const Plan& plan = call.plan;
  const int64_t token = call.items[task.item].queryFirst + of.row, b = task.item;
  if (call.keep.data != nullptr) {
    w.keep[lane] = maskRow(call.keep, plan.keepBits,
                           b * plan.keepBatch + of.head * plan.keepHead + token * plan.keepRow);
  }
  if (call.drop.data != nullptr) {
    w.drop[lane] = maskRow(call.drop, plan.dropBits,
                           b * plan.dropBatch + of.head * plan.dropHead + token * plan.dropRow);
  }
  if (call.bias.data != nullptr) {
    w.bias[lane] = elementOf(plan.biasType, call.bias.data,
                             b * plan.biasBatch + of.head * plan.biasHead + token * plan.biasRow);
  }
  if (call.alibi.data != nullptr) {
    w.slope[lane] = call.alibi.data[of.head];
    w.position[lane] = static_cast<float>(call.items[task.item].position + of.row);
  }
  if (call.sinks.data != nullptr) w.sink[lane] = call.sinks.data[of.head];
}

/** Makes the stacked rows [first, first + count) those of the workspace, before their first block of keys. */
static void describeRows(const Call& call, const Task& task, Workspace& w, int64_t first, int64_t count) {
  const Plan& plan = call.plan;
  const Item& item = call.items[task.item];
  const bool writes = !task.shows() && call.wants(kOutput);
  w.rows = static_cast<int>(count);
  w.vectors = static_cast<int>((count + kLanes - 1) / kLanes);
  for (int lane = 0; lane < w.vectors * kLanes; lane += kLanes) {
    V::store(w.reference + lane, V::zero());
    V::store(w.threshold + lane, V::all(-INFINITY));
    V::store(w.sum + lane, V::zero());
    V::store(w.sink + lane, V::all(-INFINITY));
    w.open[lane / kLanes] = false;
  }
  const bool alike = plan.left == kOpen && plan.right == kOpen;
  const bool points = w.masked || call.alibi.data != nullptr || call.sinks.data != nullptr;
  const KeyRange range = rowRange(plan, item, 0);
  const int64_t queries = task.item * plan.qBatch + item.queryFirst * plan.qRow;
  const int64_t results = task.item * plan.oBatch + item.queryFirst * plan.oRow;
  RowOf of{};
  for (int lane = 0; lane < w.vectors * kLanes; ++lane) {
    // A division for every row showed in short calls.
    if (lane == 0 || task.shows()) {
      of = rowOf(call, task, first + smaller(lane, w.rows - 1));
    } else if (lane < w.rows && ++of.head == task.head + task.group) {
      of = {of.row + 1, task.head};
    }
    w.query[lane] = elementOf(plan.qType, call.q.data, queries + of.head * plan.qHead + of.row * plan.qRow);
    if (points) pointLane(call, task, w, lane, of);
    w.range[lane] = of.row >= item.queryRows ? kNoKeys : alike ? range : rowRange(plan, item, of.row);
    w.out[lane] = nullptr;
    if (!writes || lane >= w.rows) continue;
    w.out[lane] = plan.outType == kFloat32 ? static_cast<float*>(call.out.data) + results +
                                                 of.head * plan.oHead + of.row * plan.oRow
                                           : w.results + lane * plan.valueDim;
  }
  reachRows(w, alike && !task.shows() && of.row < item.queryRows);
}

/** Makes every row reach every key of the item's tensor, as scores before the masks do. */
static void reachAllKeys(const Workspace& w, int32_t keys) {
  for (int lane = 0; lane < w.vectors * kLanes; ++lane) {
    w.range[lane] = keys > 0 ? KeyRange{0, keys, 0, 0} : kNoKeys;
  }
  reachRows(w, true);
}

/** Where the results of a stacked row lie. */
static int64_t lseAt(const Call& call, const Task& task, int64_t stacked) {
  const Plan& plan = call.plan;
  const RowOf of = rowOf(call, task, stacked);
  return task.item * plan.lseBatch + of.head * plan.lseHead +
         (call.items[task.item].queryFirst + of.row) * plan.lseRow;
}
