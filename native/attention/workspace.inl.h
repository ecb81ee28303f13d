/** What a task keeps while it runs, laid out in one piece of memory. */

/** Keys whose visibility makes one word of bits. */
constexpr int kWordKeys = 32;
static_assert(Tile::kBlock % kWordKeys == 0, "blocks are made of whole words");
constexpr int kBlockWords = Tile::kBlock / kWordKeys;

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

/** The keys that some row attends to, those that all rows do, and those in between that a gap hides from all.
 */
struct Reach {
  int32_t begin;
  int32_t end;
  int32_t innerBegin;
  int32_t innerEnd;
  int32_t gapBegin;
  int32_t gapEnd;
};

/** Query rows are held in vectors of kLanes; the lanes after the last row repeat it. */
struct Workspace {
  int rows;
  int vectors;
  /** The lanes that a key has in a vector of scores: kLanes / period keys lie side by side where rows are
   * few. */
  int period;
  /** Keys that are taken at a time. */
  int32_t step;
  int64_t headDim;
  /** Of one row, as it is stored. */
  int64_t queryBytes;
  int64_t outBytes;

  /** What queries are multiplied by: the scale, and log2(e) where scores count octaves. */
  float scale;
  /** Whether keep, drop or bias may hide any key from any row. */
  bool masked;
  /** Whether scores have their natural unit, for options to change them or callers to see them; else they
   * count octaves. */
  bool natural;
  /** Whether keys are those of one chunk: outputs are left as they are, to be merged. */
  bool partial;
  /** Whether rows are so few that scores are dot products. */
  bool few;

  /** Queries, scaled, as [vector][channel][lane]. */
  float* queries;
  /** Scores, then weights, of one tile and block: [vector of the tile][key][lane]. */
  float* scores;
  /** Bits of the keys that a row attends to: [vector of the tile][word of the block][lane]. */
  float* visible;
  /** The last keys of an item, made up to a whole tile. */
  float* lastKeys;
  /** Keys and values of a block as float32, where they are stored otherwise. */
  float* blockKeys;
  float* blockValues;
  /** Scales of a step of int8, as StoredRows has them. */
  float* keyScales;
  float* valueScales;
  /** Sums of the weights of one block: [key][lane]. */
  float* sums;
  /** Sums of weights times values, before they are normalised: [vector][channel][lane]. */
  float* outputs;
  /** Rows of the output as float32, where it is stored otherwise. */
  float* results;

  /** Per lane: where the row's query, masks and bias lie. */
  const void** query;
  const void** keep;
  const void** drop;
  const void** bias;
  /** Null in the lanes after the last row. */
  float** out;
  KeyRange* range;
  /** Slope of ALiBi, and position. */
  float* slope;
  float* position;
  /** The score that weights are relative to, and how far above it the next may be before it moves; -inf in a
   * row that has none yet. */
  float* reference;
  float* threshold;
  /** Sum of the weights, and what the latest block has multiplied earlier weights by. */
  float* sum;
  float* factor;
  /** The sink's logit. */
  float* sink;
  /** 1 / (sum + sink), from the last block of a row on. */
  float* inverse;

  /** Per vector, and whether its queries are packed and its outputs not stored yet. */
  Reach* vectorReach;
  bool* open;
};

static Workspace layOut(Arena& arena, const Plan& plan, int64_t rows) {
  Workspace w{};
  w.vectors = static_cast<int>((rows + kLanes - 1) / kLanes);
  w.step = Tile::kBlock;
  w.period = kLanes;
  w.headDim = plan.headDim;
  w.queryBytes = plan.headDim * bytesOf(plan.qType);
  w.outBytes = plan.valueDim * bytesOf(plan.outType);
  const size_t lanes = static_cast<size_t>(w.vectors) * kLanes;
  constexpr size_t kTileLanes = static_cast<size_t>(Tile::kQueryVectors) * kLanes;
  w.queries = arena.take<float>(lanes * plan.headDim);
  w.scores = arena.take<float>(kTileLanes * Tile::kBlock);
  w.visible = arena.take<float>(kTileLanes * kBlockWords);
  w.lastKeys = arena.take<float>(Tile::kKeys * plan.headDim);
  const bool widened = plan.kvType != kFloat32;
  w.blockKeys = arena.take<float>(widened ? Tile::kBlock * plan.headDim : 0);
  w.blockValues = arena.take<float>(widened ? Tile::kBlock * plan.valueDim : 0);
  const size_t scales = plan.kvType == kInt8 ? static_cast<size_t>(Tile::kBlock) * kLanes : 0;
  w.keyScales = arena.take<float>(scales);
  w.valueScales = arena.take<float>(scales);
  w.sums = arena.take<float>((plan.outputs & kMass) != 0 ? static_cast<size_t>(Tile::kBlock) * kLanes : 0);
  w.outputs = arena.take<float>((plan.outputs & kOutput) != 0 ? lanes * plan.valueDim : 0);
  w.results = arena.take<float>(plan.outType != kFloat32 ? lanes * plan.valueDim : 0);
  w.query = arena.take<const void*>(lanes);
  w.keep = arena.take<const void*>(lanes);
  w.drop = arena.take<const void*>(lanes);
  w.bias = arena.take<const void*>(lanes);
  w.out = arena.take<float*>(lanes);
  w.range = arena.take<KeyRange>(lanes);
  w.slope = arena.take<float>(lanes);
  w.position = arena.take<float>(lanes);
  w.reference = arena.take<float>(lanes);
  w.threshold = arena.take<float>(lanes);
  w.sum = arena.take<float>(lanes);
  w.factor = arena.take<float>(lanes);
  w.sink = arena.take<float>(lanes);
  w.inverse = arena.take<float>(lanes);
  w.vectorReach = arena.take<Reach>(w.vectors);
  w.open = arena.take<bool>(w.vectors);
  return w;
}
