/**
 * Where things lie in the arena, and how much of a call fits into it at a time.
 * @module
 */
import { type Plan, Storage } from '../attention/plan.ts'
import { ARENA_BYTES, KERNEL_BYTES, SHARED_BYTES } from './wasm-arena.ts'
import { KEY_BLOCK, STATE_SINK, STATE_WORDS, STRIP, TASK_WORDS } from './wasm-kernel.ts'
import { lowBlockBytes, lowStripBytes } from './wasm-low-sizes.ts'
import { type Mask, masksOf, mostRows } from './wasm-masks.ts'

/** More rows copy each key less often: 512 are 1 to 4 % faster than 256 (measured), and steps are still short. */
const MOST_ROWS = 512
/** Behind a narrow window fewer of the rows are at work on a block; 512 rows would bring a third more keys. */
const MOST_WINDOWED_ROWS = 1024
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

/** Addresses in bytes, and how much a chunk may have. */
export interface Layout {
  /** Key/value heads that are worked on together, and query rows of each. */
  readonly heads: number
  readonly rows: number
  /** Bytes of one row of values and of output: whole vectors of eight channels. */
  readonly valueStride: number
  readonly scores: number
  /** Keys of a block, packed, and its values: of one head. */
  readonly keys: number
  readonly values: number
  /** Rows as they come from the tensors, of all heads that are worked on together; and such rows of values. */
  readonly stage: number
  readonly valueStage: number
  /** The same as packed for products of lower precision, with the bytes of the keys' words. */
  readonly lowKeys: number
  readonly lowKeyWords: number
  readonly lowValues: number
  /** Each head has its own of the following. */
  readonly task: number
  readonly state: number
  readonly queries: number
  readonly lowQueries: number
  /** Output of a chunk; when that is written, what is shown of its weights or scores against one block. */
  readonly output: number
  readonly masks: readonly MaskArea[]
  /** Keys of masks that are in the arena at a time. */
  readonly window: number
  readonly bytes: number
}

/** As one of so many key/value heads sees it that are worked on together; masks only go with one. */
export function layoutOf(plan: Plan, heads: number, head = 0): Layout {
  const rowBytes = plan.headDim * 4
  const valueStride = Math.ceil(plan.valueDim / STRIP) * STRIP * 4
  const outputStride = Math.max(valueStride, KEY_BLOCK * 4)
  const masks = masksOf(plan)

  const scores = KERNEL_BYTES
  const keys = scores + KEY_BLOCK * STRIP * 4
  const values = keys + align(KEY_BLOCK * rowBytes)
  // Halves are widened four at a time, so up to three numbers too far.
  const stage = values + align(KEY_BLOCK * valueStride + 16)
  const valueStage = stage + align(KEY_BLOCK * rowBytes * heads + 16)
  // Float32 values of a single head are neither parted from others nor widened: they land where they stay.
  const landed = heads === 1 && plan.kvType === Storage.float32
  const lowKeys = landed ? valueStage : valueStage + align(KEY_BLOCK * valueStride * heads + 16)
  const low = lowBlockBytes(plan, valueStride)
  const lowValues = lowKeys + align(low.keys)
  const own = lowValues + align(low.values)
  const room = (heads === 1 ? ARENA_BYTES : SHARED_BYTES) - own - (masks.length > 0 ? MASK_BYTES : 0)
  const stripBytes = STRIP * (rowBytes + outputStride) + STATE_WORDS * 4 + lowStripBytes(plan)
  // Each of the parts of a head may begin up to 64 bytes later than the one before ends.
  const fitting = Math.floor((room / heads - 4 * TASK_WORDS - 5 * ALIGNMENT) / stripBytes)
  const biased = masks.some(({ keyBits, row }) => keyBits >= 16 && row !== 0)
  const most = biased ? MOST_BIASED_ROWS : isNarrow(plan) ? MOST_WINDOWED_ROWS : MOST_ROWS
  const rows = STRIP * Math.max(1, Math.min(fitting, most / STRIP))

  const taskBytes = align(TASK_WORDS * 4)
  const stateBytes = align((rows / STRIP) * STATE_WORDS * 4)
  const queryBytes = align(rows * rowBytes)
  const lowQueryBytes = align((rows / STRIP) * lowStripBytes(plan))
  const headBytes = taskBytes + stateBytes + queryBytes + lowQueryBytes + align(rows * outputStride)
  const task = own + head * headBytes
  const state = task + taskBytes
  const queries = state + stateBytes
  const lowQueries = queries + queryBytes
  const output = lowQueries + lowQueryBytes
  let bytes = own + headBytes * heads
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
    heads,
    rows,
    valueStride,
    scores,
    keys,
    values,
    stage,
    valueStage,
    task,
    state,
    queries,
    output,
    lowKeys,
    lowKeyWords: low.words,
    lowValues,
    lowQueries,
    masks: areas,
    window,
    bytes,
  }
}

function isNarrow({ left, right }: Plan): boolean {
  return left < MOST_ROWS && right < MOST_ROWS
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

const ALIGNMENT = 64
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
