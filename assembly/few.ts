// Attention of a few query rows, one strip: keys and values are read as they are stored and where they lie, since each is
// used so few times that to pack it costs more than all the arithmetic.
import { dotFour, dotOne } from './dots'
import { BFLOAT16, FLOAT16, FLOAT32, widen } from './half'
import { fma, lane0 } from './lanes'
import { shapeScores, tilesFrom, tilesTo } from './scores'
import { softmaxBlock } from './softmax'
import { eightBytes, finiteFloat16, firstFour, INT8, secondFour, unitOf } from './stored'
import { BEGUN, RESCALE } from './strip'
import {
  AS_STORED, BLOCK, EXPONENT, FEATURES, FROM, HALF_FROM, HALF_TO, HEAD_DIM, KEYS, OUTPUT, QUERIES, ROWS, SCORES, SHAPING, STATE, STRIDE,
  TO, TOUCHED, VALUES,
} from './task'
import { multiplyTile } from './tile'
import { addValuesByRow, allFinite } from './values'
import { classify, EDGE, isOutside, maskScores, NONE } from './visible'

/** Values are summed up by so many keys at a time, so that their rows are read in the order in which they lie. */
const PIECE = 16
const ONES = memory.data<f32>([1, 1, 1, 1])

/**
 * Query rows one behind the other, filled up to `most` by the last of them, times `factor`. Rows against float16 are 2^112
 * times as great, as those keys come so much too small; unless a query would not bear it.
 */
export function packRows(task: usize, source: usize, step: usize, rows: i32, factor: f32, type: i32): void {
  const width = load<usize>(task, HEAD_DIM) << 2
  const most = rows == 1 ? 1 : (rows + 3) & ~3
  let small = i32(1)
  if (type == FLOAT16) {
    const limit = f32x4.splat(32768)
    for (let row = 0; row < rows; row++) {
      const at = source + <usize>row * step
      for (let c: usize = 0; c < width; c += 16) {
        small &= i32(i32x4.all_true(f32x4.lt(f32x4.abs(v128.load(at + c)), limit)))
      }
    }
    if (small) factor *= unitOf(FLOAT16)
  }
  store<i32>(task, small, AS_STORED)
  let target = load<usize>(task, QUERIES)
  const factors = f32x4.splat(factor)
  for (let row = 0; row < most; row++, target += width) {
    const at = source + <usize>min(row, rows - 1) * step
    for (let c: usize = 0; c < width; c += 16) v128.store(target + c, f32x4.mul(v128.load(at + c), factors))
  }
}

/**
 * The blocks from `block` to `end` for the strip, as `attendBlock` does one. Row 0 of the first lies at `keys` and at
 * `values`; scales are those of int8.
 */
export function attendRows(
  task: usize, block: i32, end: i32, offset: i32, type: i32, keys: usize, keyStep: usize, values: usize, valueStep: usize,
  keyScales: usize, valueScales: usize,
): void {
  for (; block < end; block += BLOCK, offset += BLOCK, keyScales += 4 * BLOCK, valueScales += 4 * BLOCK) {
    attendOne(task, block, offset, type, keys, keyStep, values, valueStep, keyScales, valueScales)
    keys += <usize>BLOCK * keyStep
    values += <usize>BLOCK * valueStep
  }
}

/** Numbers that their kernel cannot take as stored are made float32 first: in the places of packed keys and of values. */
function attendOne(
  task: usize, block: i32, offset: i32, type: i32, keys: usize, keyStep: usize, values: usize, valueStep: usize,
  keyScales: usize, valueScales: usize,
): void {
  const strip = load<usize>(task, STATE)
  const kind = isOutside(task, strip, block) ? NONE : classify(task, strip, block, offset)
  if (kind == NONE) return
  const from = tilesFrom(task)
  const to = tilesTo(task)
  // What was staged lies before the record of the task, and is in the caches already.
  if (type == FLOAT32 && keys > task) {
    touch(task, keys + <usize>from * keyStep, keys + <usize>to * keyStep)
    touch(task, values + <usize>from * valueStep, values + <usize>to * valueStep)
  }
  if ((type == FLOAT16 && !isTame(task, keys, keyStep, values, valueStep)) || (type == BFLOAT16 && kind == EDGE)) {
    const headDim = load<i32>(task, HEAD_DIM)
    const valueDim = load<i32>(task, STRIDE) >> 2
    // Queries that are 2^112 times as great meet keys that are as much too small also here.
    const unit: f32 = type == FLOAT16 && load<bool>(task, AS_STORED) ? 1 / unitOf(FLOAT16) : 1
    widenRows(keys, keyStep, load<usize>(task, KEYS), from, to, headDim, type, unit)
    widenRows(values, valueStep, load<usize>(task, VALUES), from, to, valueDim, type, 1)
    keys = load<usize>(task, KEYS)
    keyStep = <usize>headDim << 2
    values = load<usize>(task, VALUES)
    valueStep = <usize>valueDim << 2
    type = FLOAT32
  }
  if (type == FLOAT32) scoreRows(task, keys, keyStep, from, to, FLOAT32)
  else if (type == FLOAT16) scoreRows(task, keys, keyStep, from, to, FLOAT16)
  else if (type == BFLOAT16) scoreRows(task, keys, keyStep, from, to, BFLOAT16)
  else scoreRows(task, keys, keyStep, from, to, INT8)
  const scores = load<usize>(task, SCORES)
  const halves = load<i32>(task, ROWS) > 4 ? 32 : 16
  if (type == INT8) scaleScores(scores, keyScales, from, to, halves)
  if (load<i32>(task, FEATURES) & SHAPING) shapeScores(task, strip, block, offset)
  if (kind == EDGE) maskScores(task, scores, from, to)
  for (let half: usize = 0; half < <usize>halves; half += 16) {
    softmaxBlock(strip + half, scores + half, from, to, load<f32>(task, EXPONENT))
  }
  if (type == FLOAT32) {
    if (kind == EDGE && !allFinite(values, valueStep, load<i32>(task, FROM), load<i32>(task, TO))) {
      addValuesByRow(task, strip, load<usize>(task, OUTPUT), values, valueStep, PIECE)
    } else addStored(task, strip, values, valueStep, FLOAT32)
  } else if (type == BFLOAT16) {
    addStored(task, strip, values, valueStep, BFLOAT16)
  } else if (type == FLOAT16) {
    scaleAll(scores, from, to, halves)
    addStored(task, strip, values, valueStep, FLOAT16)
  } else {
    scaleScores(scores, valueScales, from, to, halves)
    addStored(task, strip, values, valueStep, INT8)
  }
  store<i32>(strip, 1, BEGUN)
}

/**
 * Reads a line after the other, so that the memory's own prefetching runs ahead; the kernels' strides do not wake it. Float32
 * from main memory takes 0.7 to 0.8 of the time so; shorter numbers are bound by arithmetic, and gain nothing.
 */
function touch(task: usize, at: usize, end: usize): void {
  let any = i32x4.splat(0)
  for (; at < end; at += 256) {
    any = v128.or(any, v128.or(v128.or(v128.load(at), v128.load(at, 64)), v128.or(v128.load(at, 128), v128.load(at, 192))))
  }
  // Written so that no compiler leaves the reading out.
  store<i32>(task, i32(v128.any_true(any)), TOUCHED)
}

/** Whether rows of float16 may be read as stored. */
function isTame(task: usize, keys: usize, keyStep: usize, values: usize, valueStep: usize): bool {
  const from = load<i32>(task, FROM)
  const to = load<i32>(task, TO)
  return (
    load<bool>(task, AS_STORED) &&
    finiteFloat16(keys + <usize>from * keyStep, keyStep, to - from, load<usize>(task, HEAD_DIM) << 1) &&
    finiteFloat16(values + <usize>from * valueStep, valueStep, to - from, load<usize>(task, STRIDE) >> 1)
  )
}

function widenRows(
  source: usize, step: usize, target: usize, from: i32, to: i32, channels: i32, type: i32, unit: f32,
): void {
  const width = <usize>channels << 2
  target += <usize>from * width
  for (let row = <usize>from; row < <usize>to; row++, target += width) {
    widen(source + row * step, target, channels, type)
    for (let c: usize = 0; unit != 1 && c < width; c += 16) {
      v128.store(target + c, f32x4.mul(v128.load(target + c), f32x4.splat(unit)))
    }
  }
}

// @ts-ignore: decorator
@inline
function scoreRows(task: usize, keys: usize, step: usize, from: i32, to: i32, type: i32): void {
  const queries = load<usize>(task, QUERIES)
  const rowBytes = load<usize>(task, HEAD_DIM) << 2
  const scores = load<usize>(task, SCORES)
  const rows = load<i32>(task, ROWS)
  if (rows == 1) {
    dotOne(queries, rowBytes, keys, step, from, to, scores, type)
    return
  }
  for (let half: usize = 0; half < <usize>rows; half += 4) {
    dotFour(queries + half * rowBytes, rowBytes, keys, step, from, to, scores + 4 * half, type)
  }
}

/** Scores or weights of keys [from, to) times the scale of the key; `width` bytes of each are in use. */
function scaleScores(scores: usize, scales: usize, from: i32, to: i32, width: i32): void {
  for (let key = <usize>from; key < <usize>to; key++) {
    const scale = v128.load32_splat(scales + (key << 2))
    const at = scores + (key << 5)
    v128.store(at, f32x4.mul(v128.load(at), scale))
    if (width > 16) v128.store(at, f32x4.mul(v128.load(at, 16), scale), 16)
  }
}

/** Weights for values of float16, which come too small. */
function scaleAll(scores: usize, from: i32, to: i32, width: i32): void {
  const unit = f32x4.splat(unitOf(FLOAT16))
  for (let at = scores + (<usize>from << 5), end = scores + (<usize>to << 5); at < end; at += 32) {
    v128.store(at, f32x4.mul(v128.load(at), unit))
    if (width > 16) v128.store(at, f32x4.mul(v128.load(at, 16), unit), 16)
  }
}

/** output = output * rescale + weights * values, each half over the keys that it sees; the first block replaces what is there. */
// @ts-ignore: decorator
@inline
function addStored(task: usize, strip: usize, values: usize, step: usize, type: i32): void {
  const stride = load<usize>(task, STRIDE)
  const rows = load<i32>(task, ROWS)
  const width = eightBytes(type)
  for (let half: usize = 0; half < <usize>rows; half += 4) {
    const weights = load<usize>(task, SCORES) + 4 * half
    const end = load<i32>(task + 2 * half, HALF_TO)
    const output = load<usize>(task, OUTPUT) + half * stride
    let rescale = load<i32>(strip, BEGUN) ? strip + RESCALE + 4 * half : 0
    let from = load<i32>(task + 2 * half, HALF_FROM)
    do {
      const to = min((from & -PIECE) + PIECE, end)
      const first = weights + (<usize>from << 5)
      let source = values + <usize>from * step
      for (let target = output; target < output + stride; target += 32, source += width) {
        if (rows == 1) addOne(first, source, step, to - from, target, rescale, type)
        else multiplyTile(first, 32, source, step, to - from, target, stride, rescale, type)
      }
      from = to
      rescale = ONES
    } while (from < end)
  }
}

/** `multiplyTile` for one row. */
// @ts-ignore: decorator
@inline
function addOne(weights: usize, values: usize, step: usize, steps: i32, target: usize, rescale: usize, type: i32): void {
  let a = f32x4.splat(0)
  let b = a
  for (const end = weights + (<usize>steps << 5); weights < end; weights += 32, values += step) {
    const weight = v128.load(weights)
    a = fma(weight, firstFour(values, type), a)
    b = fma(weight, secondFour(values, type), b)
  }
  if (rescale) {
    const scale = lane0(v128.load(rescale))
    a = fma(v128.load(target), scale, a)
    b = fma(v128.load(target, 16), scale, b)
  }
  v128.store(target, a)
  v128.store(target, b, 16)
}
