// What `attentionWeights` shows of scores and weights: rows of keys, as a caller reads them.
import { storeTransposed } from './lanes'
import { multiplyKeys, scoreStrip, tilesFrom, tilesTo } from './scores'
import { softcap } from './softcap'
import { finalWeights } from './softmax'
import { STRIP_BYTES } from './strip'
import {
  BLOCK, CAP, EXPONENT, FEATURES, FROM, HEAD_DIM, OUTPUT, QUERIES, SCORES, SHAPING, SOFTCAP, SOME, STATE, TO, UNIT,
} from './task'
import { classify, NONE } from './visible'

/** Steps of the pipeline: three as ScoresAt in src/attention/plan.ts, then the weights. */
const SCALED = 0
const CAPPED = 1
const MASKED = 2
const WEIGHTS = 3

const ROW_BYTES: usize = BLOCK * 4

/**
 * One step for one block of keys, to output[row][key of the block], of `strips` strips from `first` on.
 * Before the masks every key has a score; after them rows that see nothing have -inf, and weights of 0.
 * Final weights take the maximum and the sum of all blocks, so they come after `closeStrips`.
 */
export function lookAtBlock(task: usize, block: i32, offset: i32, first: i32, strips: i32, step: i32): void {
  const scores = load<usize>(task, SCORES)
  const queryBytes = load<usize>(task, HEAD_DIM) << 5
  for (let strip = <usize>first; strip < <usize>(first + strips); strip++) {
    const state = load<usize>(task, STATE) + strip * STRIP_BYTES
    const queries = load<usize>(task, QUERIES) + strip * queryBytes
    const target = load<usize>(task, OUTPUT) + strip * 8 * ROW_BYTES
    if (step <= CAPPED) scoreEveryKey(task, queries, step)
    else scoreVisible(task, state, queries, block, offset)
    if (step == MASKED && !(load<i32>(task, FEATURES) & SHAPING)) scale(scores, load<f32>(task, UNIT))
    for (let half: usize = 0; half < 2; half++) {
      const rows = scores + 16 * half
      if (step == WEIGHTS) finalWeights(state + 16 * half, rows, BLOCK, load<f32>(task, EXPONENT))
      writeRows(rows, target + half * 4 * ROW_BYTES)
    }
  }
}

/** Scores of a whole block before the masks, in natural units. */
function scoreEveryKey(task: usize, queries: usize, step: i32): void {
  store<u64>(task, u64.MAX_VALUE, SOME)
  store<i32>(task, 0, FROM)
  store<i32>(task, BLOCK, TO)
  multiplyKeys(task, queries)
  const scores = load<usize>(task, SCORES)
  const unit = load<f32>(task, UNIT)
  if (step == SCALED || !(load<i32>(task, FEATURES) & SOFTCAP)) scale(scores, unit)
  else {
    softcap(scores, scores + BLOCK * 32, unit, load<f32>(task, CAP))
    softcap(scores + 16, scores + BLOCK * 32, unit, load<f32>(task, CAP))
  }
}

/** Scores after the masks for a whole block, as the softmax takes them. */
function scoreVisible(task: usize, strip: usize, queries: usize, block: i32, offset: i32): void {
  const scores = load<usize>(task, SCORES)
  const kind = classify(task, strip, block, offset)
  if (kind == NONE) {
    fillNone(scores, 0, BLOCK)
    return
  }
  scoreStrip(task, strip, queries, 0, block, offset, kind)
  fillNone(scores, 0, tilesFrom(task))
  fillNone(scores, tilesTo(task), BLOCK)
}

function fillNone(scores: usize, from: i32, to: i32): void {
  const end = scores + (<usize>to << 5)
  for (let at = scores + (<usize>from << 5); at < end; at += 16) v128.store(at, f32x4.splat(-Infinity))
}

function scale(scores: usize, unit: f32): void {
  const factor = f32x4.splat(unit)
  for (let at = scores; at < scores + BLOCK * 32; at += 16) v128.store(at, f32x4.mul(v128.load(at), factor))
}

/** Four rows of a block, turned to lie along the keys. */
function writeRows(scores: usize, target: usize): void {
  for (const end = scores + BLOCK * 32; scores < end; scores += 128, target += 16) {
    storeTransposed(
      v128.load(scores), v128.load(scores, 32), v128.load(scores, 64), v128.load(scores, 96), target, ROW_BYTES,
    )
  }
}
