/**
 * Operands of lower precision: words of 32 bits, each of which holds P::kPack numbers that one instruction
 * multiplies and adds up. Queries and keys are packed along their channels, values and weights along the
 * keys.
 */

struct Packed;
struct PackedTile;

/** Vectors of queries of a packed tile. */
constexpr int kPackedVectors = Tile::kQueryVectors < 2 ? Tile::kQueryVectors : 2;

/** What is built for each precision P: its constants, and the functions that know it. All around them is
 * built once; as templates it was up to 12 KB more of addon. */
struct PackedKernels {
  int pack;
  bool centresKeys;
  float mostOff;
  float mostOfValue;
  float mostSpread;
  void (*packQueries)(const Workspace& w, const Packed& packed, int vector, int count);
  void (*packKeys)(const Workspace& w, Packed& packed, const Block& block, int32_t from, int32_t to);
  void (*packValues)(const Packed& packed, const Block& block, int32_t from, int32_t to, int64_t dim);
  void (*packWeights)(const Packed& packed, int vector, float* scores, const Keys& own, const Keys& all);
  /** Of one vector of queries, and of two. */
  bool (*weighTile[kPackedVectors])(const PackedTile& tile, bool only, float* reference, float* threshold,
                                    float* sums, float* weights);
  void (*productTile[kPackedVectors])(const Product& product, const Packed& packed, int lane,
                                      int64_t channel);
};

/** What a task of lower precision keeps beside its workspace. */
struct Packed {
  const PackedKernels* kernels;
  /** Words of a query or key that hold channels. */
  int64_t words;

  /** Queries as [vector][word][lane]. */
  uint32_t* queries;
  /** Per lane: what a query's numbers are units of, its Euclidean norm, and its largest channel. */
  float* queryUnit;
  float* queryNorm;
  float* queryPeak;
  /** Per lane: what the scores of the block at hand begin with. */
  float* offset;
  /** 1 in lanes whose scores against the block at hand are computed in float32, else 0. */
  float* exact;

  /** Keys of the block as [key][word], from one to the next, and their units. */
  uint32_t* keys;
  int64_t keyRow;
  float* keyUnit;
  /** What the sums of a key begin with. */
  int32_t* keyStart;
  /** What was taken from all of them. */
  float* keyMean;
  /** How far scores of the block may be off, per norm and per largest channel of a query. */
  float offPerNorm;
  float offPerPeak;

  /** Values of the block as [word][channel], from one word to the next, and the units of the channels. */
  uint32_t* values;
  int64_t valueRow;
  float* valueUnit;
  /** What was taken from all of them. */
  float* valueMean;
  /** Per lane: the unit of a row's weights in the block, and their sum. */
  float* weightUnit;
  float* weightSum;

  /** As many as a packed tile of queries has lanes. */
  float* zeros;
  /** Scores in float32, beside those of lower precision, where a vector has lanes of both. */
  float* exactScores;
};

/** Channels of a row, made up to whole vectors. */
static int64_t paddedChannels(int64_t dim) { return (dim + kLanes - 1) / kLanes * kLanes; }

/** Lays out what any precision may need: the widest, of two numbers to a word. */
static Packed layOutPacked(Arena& arena, const Plan& plan, const Workspace& w) {
  Packed packed{};
  const int64_t lanes = static_cast<int64_t>(w.vectors) * kLanes;
  const int64_t keyWords = paddedChannels(plan.headDim) / 2, valueWords = paddedChannels(plan.valueDim);
  packed.queries = arena.take<uint32_t>(lanes * keyWords);
  packed.queryUnit = arena.take<float>(lanes);
  packed.queryNorm = arena.take<float>(lanes);
  packed.queryPeak = arena.take<float>(lanes);
  packed.offset = arena.take<float>(lanes);
  packed.exact = arena.take<float>(lanes);
  packed.keys = arena.take<uint32_t>(Tile::kBlock * keyWords);
  packed.keyUnit = arena.take<float>(Tile::kBlock);
  packed.keyStart = arena.take<int32_t>(Tile::kBlock);
  packed.keyMean = arena.take<float>(paddedChannels(plan.headDim));
  packed.values = arena.take<uint32_t>(Tile::kBlock / 2 * valueWords);
  packed.valueUnit = arena.take<float>(valueWords);
  packed.valueMean = arena.take<float>(valueWords);
  packed.weightUnit = arena.take<float>(lanes);
  packed.weightSum = arena.take<float>(lanes);
  packed.zeros = arena.take<float>(kPackedVectors * kLanes);
  for (int i = 0; packed.zeros != nullptr && i < kPackedVectors * kLanes; ++i) packed.zeros[i] = 0.0f;
  packed.exactScores = arena.take<float>(static_cast<size_t>(kPackedVectors) * Tile::kBlock * kLanes);
  return packed;
}

/** The larger of each lane's distances from 0. */
SELFSAME_INLINE V::Reg largerSize(V::Reg a, V::Reg x) { return V::max(V::max(a, x), V::sub(V::zero(), x)); }

/** Lane i of the result is the largest of all lanes of r[i]. */
SELFSAME_INLINE V::Reg largestAcross(V::Reg (&r)[kLanes]) {
  V::transpose(r);
  SELFSAME_UNROLL
  for (int width = kLanes / 2; width > 0; width /= 2) {
    SELFSAME_UNROLL
    for (int i = 0; i < width; ++i) r[i] = V::max(r[i], r[i + width]);
  }
  return r[0];
}

/** Below this a row counts as 0: its square is the smallest that float32 holds. */
constexpr float kLeastSize = 1e-18f;

/** kLanes channels of a row, 0 behind its last. */
SELFSAME_INLINE V::Reg loadPadded(const float* row, int64_t channel, int64_t dim) {
  const int64_t left = dim - channel;
  return V::loadTail(row + channel, static_cast<int>(left < kLanes ? (left > 0 ? left : 0) : kLanes));
}

/** Vectors of channels that one pass over the rows of a block takes. */
constexpr int kPassVectors = V::kRegs >= 32 ? 4 : 2;
