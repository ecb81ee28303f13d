/**
 * Where things lie in the arena, and how much of a call fits into it at a time.
 * @module
 */
import type { Plan } from '../attention/plan.ts'
import { ARENA_BYTES, KERNEL_BYTES } from './wasm-arena.ts'
import { KEY_BLOCK, STATE_SINK, STATE_WORDS, STRIP, TASK_WORDS } from './wasm-kernel.ts'
import { type Mask, masksOf, mostRows } from './wasm-masks.ts'

/** More rows copy each key less often: 512 are 1 to 4 % faster than 256 (measured), and steps are still short. */
const MOST_ROWS = 512
/** With a bias for each row: half as many rows leave room for twice as many keys of it, so for half as many copies. */
const MOST_BIASED_ROWS = 128
/** Room for masks. With half of it a bias costs up to twice as much, and more room gains nothing (measured). */
const MASK_BYTES = 2 ** 18

export interface MaskArea {
  readonly mask: Mask
  readonly at: number
  /** Bytes from row to row. */
  readonly pitch: number
}

/** Addresses in bytes, and how many query rows a chunk may have. */
export interface Layout {
  readonly rows: number
  /** Bytes of one row of values and of output: whole vectors of eight channels. */
  readonly valueStride: number
  readonly task: number
  readonly queries: number
  readonly keys: number
  /** Rows as they come from the tensors; the values of a block stay here. */
  readonly stage: number
  readonly scores: number
  readonly state: number
  /** Output of a chunk; when that is written, what is shown of its weights or scores against one block. */
  readonly output: number
  readonly masks: readonly MaskArea[]
  /** Keys of masks that are in the arena at a time. */
  readonly window: number
  readonly bytes: number
}

export function layoutOf(plan: Plan): Layout {
  const rowBytes = plan.headDim * 4
  const valueStride = Math.ceil(plan.valueDim / STRIP) * STRIP * 4
  const outputStride = Math.max(valueStride, KEY_BLOCK * 4)
  const masks = masksOf(plan)

  const task = KERNEL_BYTES
  const scores = task + align(TASK_WORDS * 4)
  const stage = scores + KEY_BLOCK * STRIP * 4
  // Halves are widened four at a time, so up to three numbers too far.
  const keys = stage + align(KEY_BLOCK * Math.max(rowBytes, valueStride) + 16)
  const state = keys + align(KEY_BLOCK * rowBytes)
  const stripBytes = STRIP * (rowBytes + outputStride) + STATE_WORDS * 4
  const room = ARENA_BYTES - state - (masks.length > 0 ? MASK_BYTES : 0)
  const biased = masks.some(({ keyBits, row }) => keyBits >= 16 && row !== 0)
  const most = biased ? MOST_BIASED_ROWS : MOST_ROWS
  const rows = STRIP * Math.max(1, Math.min(Math.floor(room / stripBytes), most / STRIP))

  const queries = state + align((rows / STRIP) * STATE_WORDS * 4)
  const output = queries + align(rows * rowBytes)
  let bytes = output + align(rows * outputStride)
  const group = plan.heads / plan.kvHeads
  const window = windowOf(masks, group, rows, plan.keys)
  const areas = masks.map(mask => {
    // Bits that begin within a word end in one more, and are read by 64.
    const pitch = (window * mask.keyBits) / 8 + (mask.keyBits === 1 ? 8 : 0)
    const at = bytes
    bytes += align(pitch * mostRows(mask, group, rows))
    return { mask, at, pitch }
  })
  return {
    rows,
    valueStride,
    task,
    queries,
    keys,
    stage,
    scores,
    state,
    output,
    masks: areas,
    window,
    bytes,
  }
}

/** Keys whose masks fit into their room: whole blocks, and no more than there are. */
function windowOf(masks: readonly Mask[], group: number, rows: number, keys: number): number {
  if (masks.length === 0) return 0
  let keyBytes = 0
  for (const mask of masks) keyBytes += (mostRows(mask, group, rows) * mask.keyBits) / 8
  const blocks = Math.floor(MASK_BYTES / keyBytes / KEY_BLOCK)
  return KEY_BLOCK * Math.max(1, Math.min(blocks, Math.ceil(keys / KEY_BLOCK)))
}

/** Where the state of a row lies, in words; add a field of STATE. */
export function stateOf(layout: Layout, row: number): number {
  return (layout.state >> 2) + (row >> 3) * STATE_WORDS + (row & 7)
}

/** Where the sink of a row lies, in words of 8 bytes. */
export function sinkOf(layout: Layout, row: number): number {
  return layout.state / 8 + (row >> 3) * (STATE_WORDS / 2) + STATE_SINK + (row & 7)
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64
