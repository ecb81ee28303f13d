/**
 * The arena: one WASM instance and its memory, laid out by the host. Calls are tiled through it in chunks of
 * query rows and blocks of keys, so its size does not follow the tensors.
 * @module
 */
import type { Kernel } from './wasm-kernel.ts'

export const ARENA_BYTES: number = 2 ** 20
/** What it may grow to where several heads are worked on together. */
export const SHARED_BYTES: number = 2 ** 21
/** Left to the kernel, for its constants. */
export const KERNEL_BYTES: number = 2 ** 11
const PAGE_BYTES = 2 ** 16

export class Arena {
  readonly kernel: Kernel
  readonly #memory = new WebAssembly.Memory({ initial: ARENA_BYTES / PAGE_BYTES })
  floats!: Float32Array
  doubles!: Float64Array
  ints!: Int32Array
  words!: Uint32Array
  halves!: Uint16Array
  bytes!: Uint8Array
  codes!: Int8Array

  constructor(module: WebAssembly.Module) {
    this.kernel = new WebAssembly.Instance(module, { env: { memory: this.#memory } })
      .exports as unknown as Kernel
    if (this.kernel.heapBase.value > KERNEL_BYTES)
      throw new Error('wasm: the constants of the kernel reach into the arena')
    this.#view()
  }

  /**
   * Grows once where several heads are worked on together, and for a headDim of a thousand and more, where the smallest
   * chunk and block exceed the arena.
   */
  reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength
    if (missing <= 0) return
    this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    this.#view()
  }

  #view(): void {
    const { buffer } = this.#memory
    this.floats = new Float32Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.ints = new Int32Array(buffer)
    this.words = new Uint32Array(buffer)
    this.halves = new Uint16Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.codes = new Int8Array(buffer)
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
