/**
 * The arena: one WASM instance and its memory, laid out by the host. Calls are tiled through it in chunks of
 * query rows and blocks of keys, so its size does not follow the tensors.
 * @module
 */
import type { Plan } from '../attention/plan.ts'

/** The exports of assembly/attention.ts. Addresses, strides and bounds as described there. */
export interface Kernel {
  readonly heapBase: WebAssembly.Global
  packQueries(source: number, target: number, rows: number, headDim: number, factor: number): void
  packKeys(source: number, target: number, first: number, end: number, headDim: number): void
  openStrips(state: number, strips: number, output: number, stride: number): void
  attendBlock(
    queries: number,
    keys: number,
    values: number,
    output: number,
    state: number,
    scores: number,
    strips: number,
    headDim: number,
    stride: number,
    blockStart: number,
    blockKeys: number,
    scale: number,
  ): void
  closeStrips(state: number, strips: number, output: number, stride: number): void
  weighStrips(
    queries: number,
    keys: number,
    weights: number,
    state: number,
    scores: number,
    strips: number,
    headDim: number,
    stride: number,
    blockStart: number,
    blockKeys: number,
    scale: number,
  ): void
}

/** Rows of a strip: the lanes of the kernel. */
export const STRIP = 8
/** Keys of a block; blocks begin at multiples of it, wherever a row's range begins. */
export const KEY_BLOCK = 64
/** Words of a strip's state and where its fields lie, as in assembly/strip.ts. */
export const STATE = { words: 44, begin: 0, end: 8, max: 16, sum: 24 }

const ARENA_BYTES = 2 ** 20
/** Left to the kernel, for its constants. */
const KERNEL_BYTES = 2 ** 11
const PAGE_BYTES = 2 ** 16
/** More rows copy each key less often; from 128 on that is within 2 % (measured), and steps stay short. */
const MOST_ROWS = 256

/** Where things lie in the arena, in bytes, and how many query rows a chunk may have. */
export interface Layout {
  readonly rows: number
  /** Bytes of one row of values and of output: whole vectors of eight channels. */
  readonly valueStride: number
  readonly queries: number
  readonly keys: number
  /** Rows as they come from the tensors; the values of a block stay here. */
  readonly stage: number
  readonly scores: number
  readonly state: number
  /** Output of a chunk; when that is written, its weights against one block. */
  readonly output: number
  readonly bytes: number
}

export function layoutOf(plan: Plan): Layout {
  const rowBytes = plan.headDim * 4
  const valueStride = Math.ceil(plan.valueDim / STRIP) * STRIP * 4
  const outputStride = Math.max(valueStride, KEY_BLOCK * 4)
  const stageBytes = KEY_BLOCK * Math.max(rowBytes, valueStride)
  const blockBytes = KEY_BLOCK * rowBytes + stageBytes + KEY_BLOCK * STRIP * 4
  const stripBytes = STRIP * (rowBytes + outputStride) + STATE.words * 4
  const strips = Math.floor((ARENA_BYTES - KERNEL_BYTES - blockBytes) / stripBytes)
  const rows = STRIP * Math.max(1, Math.min(strips, MOST_ROWS / STRIP))

  const stage = KERNEL_BYTES
  const scores = stage + align(stageBytes)
  const keys = scores + KEY_BLOCK * STRIP * 4
  const state = keys + align(KEY_BLOCK * rowBytes)
  const queries = state + align((rows / STRIP) * STATE.words * 4)
  const output = queries + align(rows * rowBytes)
  return {
    rows,
    valueStride,
    queries,
    keys,
    stage,
    scores,
    state,
    output,
    bytes: output + rows * outputStride,
  }
}

/** Where the state of a row lies, in words; add a field of STATE. */
export function stateOf(layout: Layout, row: number): number {
  const lane = row % STRIP
  return layout.state / 4 + ((row - lane) / STRIP) * STATE.words + lane
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64

export class Arena {
  readonly kernel: Kernel
  readonly #memory = new WebAssembly.Memory({ initial: ARENA_BYTES / PAGE_BYTES })
  floats: Float32Array
  ints: Int32Array

  constructor(module: WebAssembly.Module) {
    this.kernel = new WebAssembly.Instance(module, { env: { memory: this.#memory } })
      .exports as unknown as Kernel
    if (this.kernel.heapBase.value > KERNEL_BYTES)
      throw new Error('wasm: the constants of the kernel reach into the arena')
    this.floats = new Float32Array(this.#memory.buffer)
    this.ints = new Int32Array(this.#memory.buffer)
  }

  /** Grows only for a headDim of a thousand and more, where the smallest chunk and block exceed the arena. */
  reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength
    if (missing <= 0) return
    this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    this.floats = new Float32Array(this.#memory.buffer)
    this.ints = new Int32Array(this.#memory.buffer)
  }
}

/** Calls that are under way at the same time have an arena each; a finished call leaves its arena to the next. */
export class Arenas {
  readonly #module: WebAssembly.Module
  readonly #free: Arena[] = []

  constructor(module: WebAssembly.Module) {
    this.#module = module
    this.#free.push(new Arena(module))
  }

  take(bytes: number): Arena {
    const arena = this.#free.pop() ?? new Arena(this.#module)
    arena.reserve(bytes)
    return arena
  }

  give(arena: Arena): void {
    this.#free.push(arena)
  }
}
