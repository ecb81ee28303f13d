// Which keys of a block the rows of a strip see: a word of 64 bits for each row, bit t for key t of the block.
import { lowestBias } from './bias'
import { BEGIN, BIAS_AT, DROP_AT, END, EVERY_BEGIN, EVERY_END, KEEP_AT, SOME_BEGIN, SOME_END } from './strip'
import {
  BIAS, BLOCK, DROP, DROP_SHIFT, EVERY, FEATURES, FROM, HALF_FROM, HALF_TO, HIDING, KEEP, KEEP_SHIFT, KEY_BEGIN, SINK_END, SOME, TO, VISIBLE,
} from './task'

/** A block that no row of a strip sees anything of, whose keys every row sees, and one that needs the words. */
export const NONE = 0
export const FULL = 1
export const EDGE = 2

/** Whether by position no row of a strip sees anything of a block: said at once, as behind a window mostly none does. */
// @ts-ignore: decorator
@inline
export function isOutside(task: usize, strip: usize, block: i32): bool {
  const apart = load<i32>(strip, SOME_END) <= block || load<i32>(strip, SOME_BEGIN) >= block + BLOCK
  return apart && block >= load<i32>(task, SINK_END)
}

/**
 * What a strip sees of the block that begins at key `block`, `offset` keys into the window of masks.
 * The words are only made where ranges alone do not say it.
 */
export function classify(task: usize, strip: usize, block: i32, offset: i32): i32 {
  const features = load<i32>(task, FEATURES)
  const from = max(load<i32>(strip, SOME_BEGIN) - block, 0)
  const to = min(load<i32>(strip, SOME_END) - block, BLOCK)
  const sinks = block < load<i32>(task, SINK_END)
  if (from >= to && !sinks) return NONE
  const same = load<i32>(strip, EVERY_BEGIN) - block <= from && load<i32>(strip, EVERY_END) - block >= to
  if (same && !sinks && !(features & HIDING) && isWhole(from, to)) {
    store<u64>(task, u64.MAX_VALUE, SOME)
    seeHalf(task, from, to)
    seeHalf(task + 8, from, to)
    return see(task, from, to, FULL)
  }

  for (let row: usize = 0; row < 32; row += 4) {
    store<u64>(task + 2 * row, keysInRange(task, strip + row, block), VISIBLE)
  }
  if (features & KEEP) hide(KEEP, task, strip + KEEP_AT, offset, load<i32>(task, KEEP_SHIFT))
  if (features & DROP) hide(DROP, task, strip + DROP_AT, offset, load<i32>(task, DROP_SHIFT))
  if (features & BIAS) hide(BIAS, task, strip + BIAS_AT, offset, 0)
  let some: u64 = 0
  let every = u64.MAX_VALUE
  for (let half: usize = 0; half < 2; half++) {
    const words = task + 32 * half
    let seen: u64 = 0
    for (let row: usize = 0; row < 32; row += 8) {
      seen |= load<u64>(words + row, VISIBLE)
      every &= load<u64>(words + row, VISIBLE)
    }
    some |= seen
    if (seen) seeHalf(task + 8 * half, <i32>ctz(seen), BLOCK - <i32>clz(seen))
    else seeHalf(task + 8 * half, 0, 0)
  }
  if (some == 0) return NONE
  store<u64>(task, some, SOME)
  store<u64>(task, every, EVERY)
  const first = <i32>ctz(some)
  const end = BLOCK - <i32>clz(some)
  const kind = every == some && popcnt(some) == end - first && isWhole(first, end) ? FULL : EDGE
  return see(task, first, end, kind)
}

/** Whether keys [from, to) are whole tiles of the product. */
// @ts-ignore: decorator
@inline
function isWhole(from: i32, to: i32): bool {
  return ((from | to) & 3) == 0
}

// @ts-ignore: decorator
@inline
function see(task: usize, from: i32, to: i32, kind: i32): i32 {
  store<i32>(task, from, FROM)
  store<i32>(task, to, TO)
  return kind
}

// @ts-ignore: decorator
@inline
function seeHalf(half: usize, from: i32, to: i32): void {
  store<i32>(half, from, HALF_FROM)
  store<i32>(half, to, HALF_TO)
}

/** The keys of a block that a row sees by position. */
function keysInRange(task: usize, row: usize, block: i32): u64 {
  const end = below(load<i32>(row, END) - block)
  const keys = end & ~below(load<i32>(row, BEGIN) - block)
  const sinkEnd = load<i32>(task, SINK_END) - block
  return sinkEnd <= 0 ? keys : keys | (end & below(sinkEnd) & ~below(load<i32>(task, KEY_BEGIN) - block))
}

/** Bits 0 to n - 1. */
// @ts-ignore: decorator
@inline
export function below(n: i32): u64 {
  return n <= 0 ? 0 : n >= 64 ? u64.MAX_VALUE : ((<u64>1) << <u64>n) - 1
}

/** Takes from the words what one kind of mask hides. Rows that share a mask have it read once. */
// @ts-ignore: decorator
@inline
function hide(kind: i32, task: usize, addresses: usize, offset: i32, shift: i32): void {
  let before: usize = 0
  let seen: u64 = 0
  for (let row: usize = 0; row < 32; row += 4) {
    const at = load<usize>(addresses + row)
    if (at != before) {
      before = at
      if (kind == BIAS) seen = ~lowestBias(task, at, offset)
      else seen = shift < 0 ? trueBytes(at + offset) : trueBits(at + (offset >> 3), shift)
      if (kind == DROP) seen = ~seen
    }
    store<u64>(task + 2 * row, load<u64>(task + 2 * row, VISIBLE) & seen, VISIBLE)
  }
}

/** Which of 64 bytes are not 0. */
function trueBytes(at: usize): u64 {
  return ~(zeroBytes(at) | (zeroBytes(at + 16) << 16) | (zeroBytes(at + 32) << 32) | (zeroBytes(at + 48) << 48))
}

// @ts-ignore: decorator
@inline
function zeroBytes(at: usize): u64 {
  return <u64>i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0)))
}

/** 64 bits, the first one `shift` bits into the first word. */
function trueBits(at: usize, shift: i32): u64 {
  const bits = load<u64>(at) >> <u64>shift
  return shift ? bits | (load<u64>(at, 8) << <u64>(64 - shift)) : bits
}

/**
 * Writes -inf over the scores of keys [from, to) that a row does not see. It is a select after the product: whatever a
 * masked key holds, NaN too, is gone.
 */
export function maskScores(task: usize, scores: usize, from: i32, to: i32): void {
  const keys = ~load<u64>(task, EVERY) & below(to) & ~below(from)
  for (let half: usize = 0; half < 32; half += 16) {
    const a = v128.load(task + 2 * half, VISIBLE)
    const b = v128.load(task + 2 * half, VISIBLE + 16)
    const c = v128.shuffle<i32>(a, b, 0, 2, 4, 6)
    const d = v128.shuffle<i32>(a, b, 1, 3, 5, 7)
    maskWord(c, scores + half, <u32>keys)
    maskWord(d, scores + half + 32 * 32, <u32>(keys >> 32))
  }
}

/** The same for four rows and the given ones of 32 keys; `rows` are their words. */
function maskWord(rows: v128, scores: usize, keys: u32): void {
  const none = f32x4.splat(-Infinity)
  for (; keys; keys &= keys - 1) {
    const key = ctz(keys)
    const at = scores + (<usize>key << 5)
    const hidden = i32x4.eq(v128.and(rows, i32x4.splat(1 << key)), i32x4.splat(0))
    v128.store(at, v128.bitselect(none, v128.load(at), hidden))
  }
}
