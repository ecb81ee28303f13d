/** Keys of lower precision, each in units of its own. */

/** The mean of the keys [from, to) of a block, 0 behind its last channel. */
SELFSAME_NOINLINE void meanOfKeys(const Block& block, int32_t from, int32_t to, int64_t dim, float* mean) {
  const V::Reg share = V::all(1.0f / static_cast<float>(to - from));
  for (int64_t c = 0; c < dim; c += kPassVectors * kLanes) {
    V::Reg sum[kPassVectors];
    SELFSAME_UNROLL
    for (int n = 0; n < kPassVectors; ++n) sum[n] = V::zero();
    const float* key = block.keys + from * block.keyRow;
    for (int32_t i = from; i < to; ++i, key += block.keyRow) {
      SELFSAME_UNROLL
      for (int n = 0; n < kPassVectors; ++n) sum[n] = V::add(sum[n], loadPadded(key, c + n * kLanes, dim));
    }
    SELFSAME_UNROLL
    for (int n = 0; n < kPassVectors; ++n) {
      if (c + n * kLanes < dim) V::store(mean + c + n * kLanes, V::mul(sum[n], share));
    }
  }
}

/** kLanes channels of a key, without the mean where it is taken away. */
template <bool kCentres>
SELFSAME_INLINE V::Reg loadKey(const float* key, int64_t channel, int64_t dim, const float* mean) {
  const V::Reg x = loadPadded(key, channel, dim);
  return kCentres ? V::sub(x, V::load(mean + channel)) : x;
}

/** The squared norms and largest channels of kLanes keys. */
template <bool kCentres, bool kByPeak>
SELFSAME_NOINLINE void measureKeys(const float* const* keys, int64_t dim, const float* mean, float* squares,
                                   float* peaks) {
  V::Reg square[kLanes], peak[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    V::Reg sum = V::zero(), most = V::zero();
    for (int64_t c = 0; c < dim; c += kLanes) {
      const V::Reg x = loadKey<kCentres>(keys[i], c, dim, mean);
      sum = V::fma(x, x, sum);
      if (kByPeak) most = largerSize(most, x);
    }
    square[i] = sum;
    peak[i] = most;
  }
  V::store(squares, V::addAcross(square));
  if (kByPeak) V::store(peaks, largestAcross(peak));
}

/** Packs kLanes keys, in their units. */
template <class P>
SELFSAME_NOINLINE void storeKeys(const Packed& packed, const float* const* keys, int64_t dim, int32_t at) {
  V::Reg sums[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    uint32_t* row = packed.keys + (at + i) * packed.keyRow;
    const V::Reg factor = V::all(1.0f / packed.keyUnit[at + i]);
    V::Reg sum = V::zero();
    for (int64_t c = 0; c < dim; c += kLanes, row += kLanes / P::kPack)
      sum = V::add(sum, P::storeRow(row, loadKey<P::kCentresKeys>(keys[i], c, dim, packed.keyMean), factor));
    sums[i] = sum;
  }
  if constexpr (P::kPack == 4) {
    // Queries are stored 128 too large.
    float sum[kLanes];
    V::store(sum, V::addAcross(sums));
    for (int i = 0; i < kLanes; ++i) packed.keyStart[at + i] = -128 * static_cast<int32_t>(sum[i]);
  }
}

/** What the mean that keys have lost adds to the scores of the vectors [vector, vector + count). */
SELFSAME_NOINLINE void scoreMean(const Workspace& w, const Packed& packed, int vector, int count) {
  SELFSAME_PHASE(kPack);
  for (int lane = vector * kLanes; lane < (vector + count) * kLanes; lane += kLanes) {
    const float* queries = w.queries + lane * w.headDim;
    V::Reg sum[2] = {V::zero(), V::zero()};
    int64_t c = 0;
    for (; c + 2 <= w.headDim; c += 2) {
      SELFSAME_UNROLL
      for (int i = 0; i < 2; ++i)
        sum[i] = V::fmaAll(packed.keyMean + c + i, V::load(queries + (c + i) * kLanes), sum[i]);
    }
    if (c < w.headDim) sum[0] = V::fmaAll(packed.keyMean + c, V::load(queries + c * kLanes), sum[0]);
    V::store(packed.offset + lane, V::add(sum[0], sum[1]));
  }
}

/** The keys of a tile get the largest of their units. */
static void shareUnit(float* units) {
  float most = units[0];
  for (int i = 1; i < Tile::kKeys; ++i) most = units[i] > most ? units[i] : most;
  for (int i = 0; i < Tile::kKeys; ++i) units[i] = most;
}

/** Packs the keys [from, to) of a block. Those around them, to whole vectors of keys, repeat the nearest; no
 * row sees them. */
template <class P>
static void packKeys(const Workspace& w, Packed& packed, const Block& block, int32_t from, int32_t to) {
  SELFSAME_PHASE(kPack);
  const int64_t dim = w.headDim;
  if (P::kCentresKeys) meanOfKeys(block, from, to, dim, packed.keyMean);
  float mostNorm = kLeastSize, mostPeak = kLeastSize, notFinite = 0.0f;
  for (int32_t at = from - from % kLanes; at < to; at += kLanes) {
    const float* keys[kLanes];
    float squares[kLanes], peaks[kLanes] = {};
    for (int i = 0; i < kLanes; ++i) keys[i] = block.keys + clampTo(at + i, from, to - 1) * block.keyRow;
    measureKeys<P::kCentresKeys, P::kByPeak>(keys, dim, packed.keyMean, squares, peaks);
    for (int i = 0; i < kLanes; ++i) {
      const float norm = sqrtf(squares[i]);
      packed.keyUnit[at + i] = unitOf<P>(norm, peaks[i]);
      notFinite += norm * 0.0f;
      mostNorm = norm > mostNorm ? norm : mostNorm;
      mostPeak = peaks[i] > mostPeak ? peaks[i] : mostPeak;
    }
    for (int i = 0; P::kSharesUnits && i < kLanes; i += Tile::kKeys) shareUnit(packed.keyUnit + at + i);
    storeKeys<P>(packed, keys, dim, at);
  }
  // NaN where some key is: then all rows take their scores in float32.
  packed.offPerNorm = P::offPerNorm(mostNorm, mostPeak) + notFinite;
  packed.offPerPeak = P::offPerPeak(mostNorm, mostPeak);
}
