/**
 * Self-attention of one query row in plain TypeScript, in four passes that one can read:
 *
 *   1. scores    s[j] = scale * (q . k[j]), then softcap, bias, ALiBi, masks
 *   2. maximum   and the sum of exp(s[j] - maximum): the denominator
 *   3. weights   w[j] = exp(s[j] - maximum) / denominator
 *   4. output    sum over j of w[j] * v[j]
 *
 * Sums run in double precision and are rounded once, to float32.
 * @module
 */
import { type Arrays, type Plan, ScoresAt, Storage } from '../attention/plan.ts'
import { toBfloat16, toFloat16 } from '../numeric/half.ts'

/** One query row: which it is, and where its data lies. */
export interface Row {
  readonly item: number
  readonly head: number
  /** Row of the item, and its position among the keys. */
  readonly i: number
  readonly position: number
  /** Keys of the item's tensor, and its first token among queries and keys. */
  readonly keys: number
  readonly query: number
  readonly keyFirst: number
  /** The keys [from, to) that lengths, causal and window leave: a range, before it at times the first ones of a cache. */
  readonly visible: readonly (readonly [from: number, to: number])[]
  /** From the first to the last of them. */
  readonly low: number
  readonly high: number
}

/** The arrays of a call with every float one as float32. */
export type Floats = Omit<Arrays, 'q' | 'k' | 'v' | 'bias'> &
  Record<'q' | 'k' | 'v', Float32Array> & { bias?: Float32Array }

/** One row from its query to its output; leaves its scores and weights of keys [low, high) behind. */
export function attendRow(
  plan: Plan,
  arrays: Floats,
  row: Row,
  scores: Float64Array,
  weights: Float64Array,
): void {
  scorePass(plan, arrays, row, scores)
  const sink = arrays.sinks ? arrays.sinks[row.head] : Number.NEGATIVE_INFINITY
  const lse = softmaxPasses(row, scores, weights, sink)
  outputPass(plan, arrays, row, scores, weights)
  if (arrays.lse)
    arrays.lse[row.item * plan.lseBatch + row.head * plan.lseHead + row.query * plan.lseRow] = lse
}

/** Pass 1: the scores of keys [low, high), -Infinity where masked. */
function scorePass(plan: Plan, arrays: Floats, row: Row, scores: Float64Array): void {
  const plain = !(arrays.keep || arrays.drop || arrays.bias || arrays.alibi)
  scores.fill(Number.NEGATIVE_INFINITY, row.low, row.high)
  for (const [from, to] of row.visible) {
    dotPass(plan, arrays, row, from, to, scores)
    for (let j = from; j < to; j++) {
      const capped = softcapped(plan, plan.scale * scores[j])
      if (plain) scores[j] = capped
      else
        scores[j] = isMasked(plan, arrays, row, j)
          ? Number.NEGATIVE_INFINITY
          : capped + biasOf(plan, arrays, row, j)
    }
  }
}

/** Where key j of a row, and its value, begin: in tensors of one piece, or in pages of a cache. */
function addresses(
  plan: Plan,
  { pages }: Floats,
  row: Row,
): { key(j: number): number; value(j: number): number } {
  const kvHead = Math.floor((row.head * plan.kvHeads) / plan.heads)
  const k = row.item * plan.kBatch + kvHead * plan.kHead
  const v = row.item * plan.vBatch + kvHead * plan.vHead
  if (pages === undefined) {
    return {
      key: j => k + (row.keyFirst + j) * plan.kRow,
      value: j => v + (row.keyFirst + j) * plan.vRow,
    }
  }
  const page = (j: number) => pages[row.item * plan.pagesPerItem + Math.floor(j / plan.pageKeys)]
  return {
    key: j => k + page(j) * plan.kPage + (j % plan.pageKeys) * plan.kRow,
    value: j => v + page(j) * plan.vPage + (j % plan.pageKeys) * plan.vRow,
  }
}

/** q . k[j] for keys [from, to). */
function dotPass(
  plan: Plan,
  arrays: Floats,
  row: Row,
  from: number,
  to: number,
  products: Float64Array,
): void {
  const { headDim } = plan
  const { q, k } = arrays
  const { key } = addresses(plan, arrays, row)
  const qAt = row.item * plan.qBatch + row.head * plan.qHead + row.query * plan.qRow
  for (let j = from; j < to; j++) {
    const kAt = key(j)
    let sum = 0
    for (let c = 0; c < headDim; c++) sum += q[qAt + c] * k[kAt + c]
    products[j] = sum
  }
}

function softcapped({ softcap }: Plan, score: number): number {
  return softcap > 0 ? softcap * Math.tanh(score / softcap) : score
}

function isMasked(plan: Plan, { keep, drop, bias }: Floats, row: Row, j: number): boolean {
  const key = row.keyFirst + j
  if (keep) {
    const at = row.item * plan.keepBatch + row.head * plan.keepHead + row.query * plan.keepRow
    if (!flag(keep, at, key, plan.keepKey, plan.keepBits)) return true
  }
  if (drop) {
    const at = row.item * plan.dropBatch + row.head * plan.dropHead + row.query * plan.dropRow
    if (flag(drop, at, key, plan.dropKey, plan.dropBits)) return true
  }
  return bias !== undefined && bias[biasAt(plan, row, j)] === Number.NEGATIVE_INFINITY
}

function flag(
  mask: Uint8Array | Uint32Array,
  at: number,
  key: number,
  stride: number,
  bits: number,
): boolean {
  return bits ? (mask[at + (key >> 5)] & (1 << (key & 31))) !== 0 : mask[at + key * stride] !== 0
}

function biasAt(plan: Plan, row: Row, j: number): number {
  return (
    row.item * plan.biasBatch +
    row.head * plan.biasHead +
    row.query * plan.biasRow +
    (row.keyFirst + j) * plan.biasKey
  )
}

function biasOf(plan: Plan, { bias, alibi }: Floats, row: Row, j: number): number {
  const added = bias ? bias[biasAt(plan, row, j)] : 0
  return alibi ? added - alibi[row.head] * Math.abs(row.position - j) : added
}

/**
 * Passes 2 and 3: the greatest score, the sum of exponentials relative to it, and the weights.
 * Returns the log of the sum (natural, of keys only); -Infinity when there is nothing to attend to.
 */
function softmaxPasses(
  { low, high }: Row,
  scores: Float64Array,
  weights: Float64Array,
  sink: number,
): number {
  let maximum = Number.NEGATIVE_INFINITY
  for (let j = low; j < high; j++) maximum = Math.max(maximum, scores[j])
  let sum = 0
  for (let j = low; j < high; j++) {
    weights[j] = scores[j] === Number.NEGATIVE_INFINITY ? 0 : Math.exp(scores[j] - maximum)
    sum += weights[j]
  }
  if (sum === 0) return Number.NEGATIVE_INFINITY
  const denominator = sum + Math.exp(sink - maximum)
  for (let j = low; j < high; j++)
    weights[j] = scores[j] === Number.NEGATIVE_INFINITY ? 0 : weights[j] / denominator
  return maximum + Math.log(sum)
}

/** Pass 4. Masked values are passed over, not multiplied by 0: NaN in them must change nothing. */
function outputPass(plan: Plan, arrays: Floats, row: Row, scores: Float64Array, weights: Float64Array): void {
  const { v, out } = arrays
  if (!out) return
  const { valueDim } = plan
  const { value } = addresses(plan, arrays, row)
  const oAt = row.item * plan.oBatch + row.head * plan.oHead + row.query * plan.oRow
  const sum = new Float64Array(valueDim)
  for (let j = row.low; j < row.high; j++) {
    if (scores[j] === Number.NEGATIVE_INFINITY) continue
    const weight = weights[j]
    const at = value(j)
    for (let c = 0; c < valueDim; c++) sum[c] += weight * v[at + c]
  }
  const store =
    plan.outType === Storage.float16 ? toFloat16 : plan.outType === Storage.bfloat16 ? toBfloat16 : Number
  for (let c = 0; c < valueDim; c++) out[oAt + c] = store(sum[c])
}

/** Writes what `attentionWeights` shows of a row: weights, mass, and scores at the step asked for. */
export function showRow(
  plan: Plan,
  arrays: Floats,
  row: Row,
  slot: number,
  scores: Float64Array,
  weights: Float64Array,
): void {
  const { low, high } = row
  const at =
    row.item * plan.weightsBatch + row.head * plan.weightsHead + slot * plan.weightsRow + row.keyFirst
  if (low < high) arrays.weights?.set(weights.subarray(low, high), at + low)
  if (arrays.mass) {
    const mass = row.item * plan.massBatch + row.head * plan.massHead + row.keyFirst
    for (let j = low; j < high; j++) arrays.mass[mass + j] += weights[j]
  }
  if (!arrays.scores) return
  if (plan.scoresAt === ScoresAt.masked) {
    if (low < high) arrays.scores.set(scores.subarray(low, high), at + low)
    return
  }
  // Before the masks every key has a score, also those that no row may attend to.
  const before = new Float64Array(row.keys)
  dotPass(plan, arrays, row, 0, row.keys, before)
  const capped = plan.scoresAt === ScoresAt.capped
  for (let j = 0; j < row.keys; j++) {
    const scaled = plan.scale * before[j]
    arrays.scores[at + j] = capped ? softcapped(plan, scaled) : scaled
  }
}
