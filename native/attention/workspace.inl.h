/** What a task keeps while it runs, laid out in one piece of memory. */

constexpr int kLanes = V::kLanes;

/** Hands out pieces of a piece of memory; with none, only measures. */
struct Arena {
  char* memory;
  size_t used;

  template <class T>
  T* take(size_t count) {
    T* piece = memory == nullptr ? nullptr : reinterpret_cast<T*>(memory + used);
    used += (count * sizeof(T) + 63) / 64 * 64;
    return piece;
  }
};

/** The keys that some row attends to, and those that all rows do. */
struct Reach {
  int32_t begin;
  int32_t end;
  int32_t innerBegin;
  int32_t innerEnd;
};

/** Query rows are held in vectors of kLanes; the lanes after the last row repeat it. */
struct Workspace {
  int rows;
  int vectors;
  int64_t headDim;

  /** |scale| * log2(e): by how many octaves a score of 1 raises a weight. */
  float unit;

  /** Queries, their sign that of the scale, as [vector][channel][lane]. */
  float* queries;
  /** Scores, then weights, of one tile and block: [vector of the tile][key][lane]. */
  float* scores;
  /** The last keys of an item, made up to a whole tile. */
  float* lastKeys;

  /** Per lane. */
  const float** query;
  /** Null in the lanes after the last row. */
  float** out;
  KeyRange* range;
  /** What weights are relative to, in octaves, and the score that moves it; a row without one has threshold
   * -inf. */
  float* reference;
  float* threshold;
  /** Sum of the weights, and what the latest block has multiplied earlier weights by. */
  float* sum;
  float* factor;
  /** 1 / sum, from the last block of a row on. */
  float* inverse;

  /** Per vector, and per group of rows that a product tile takes. */
  Reach* vectorReach;
  Reach* groupReach;
};

static Workspace layOut(Arena& arena, int64_t headDim, int64_t rows) {
  Workspace w{};
  w.rows = static_cast<int>(rows);
  w.vectors = static_cast<int>((rows + kLanes - 1) / kLanes);
  w.headDim = headDim;
  const size_t lanes = static_cast<size_t>(w.vectors) * kLanes;
  w.queries = arena.take<float>(lanes * headDim);
  w.scores = arena.take<float>(static_cast<size_t>(Tile::kQueryVectors) * Tile::kBlock * kLanes);
  w.lastKeys = arena.take<float>(Tile::kKeys * headDim);
  w.query = arena.take<const float*>(lanes);
  w.out = arena.take<float*>(lanes);
  w.range = arena.take<KeyRange>(lanes);
  w.reference = arena.take<float>(lanes);
  w.threshold = arena.take<float>(lanes);
  w.sum = arena.take<float>(lanes);
  w.factor = arena.take<float>(lanes);
  w.inverse = arena.take<float>(lanes);
  w.vectorReach = arena.take<Reach>(w.vectors);
  w.groupReach = arena.take<Reach>(lanes / Tile::kRows);
  return w;
}

static size_t workspaceBytes(const Plan& plan, int64_t rows) {
  Arena arena{nullptr, 0};
  layOut(arena, plan.headDim, rows);
  return arena.used;
}

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/** The reach of a group of rows. A row without keys adds nothing to the outer range and empties the inner
 * one. */
static Reach reachOfRows(const KeyRange* range) {
  Reach reach{kNoKeys.begin, kNoKeys.end, 0, INT32_MAX};
  for (int i = 0; i < Tile::kRows; ++i) {
    reach.begin = smaller(reach.begin, range[i].begin);
    reach.end = larger(reach.end, range[i].end);
    reach.innerBegin = larger(reach.innerBegin, range[i].begin);
    reach.innerEnd = smaller(reach.innerEnd, range[i].end);
  }
  return reach;
}

/** The reach of several groups, or vectors, together. */
static Reach reachOfAll(const Reach* parts, int count) {
  Reach reach = parts[0];
  for (int i = 1; i < count; ++i) {
    reach.begin = smaller(reach.begin, parts[i].begin);
    reach.end = larger(reach.end, parts[i].end);
    reach.innerBegin = larger(reach.innerBegin, parts[i].innerBegin);
    reach.innerEnd = smaller(reach.innerEnd, parts[i].innerEnd);
  }
  return reach;
}

static int32_t clampTo(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

/** The part of a reach that lies in the keys [begin, end). The inner part comes out ordered, perhaps empty.
 */
static Reach within(const Reach& reach, int32_t begin, int32_t end) {
  Reach part;
  part.begin = clampTo(reach.begin, begin, end);
  part.end = clampTo(reach.end, begin, end);
  if (part.end < part.begin) part.end = part.begin;
  part.innerBegin = clampTo(reach.innerBegin, part.begin, part.end);
  part.innerEnd = clampTo(reach.innerEnd, part.innerBegin, part.end);
  return part;
}
