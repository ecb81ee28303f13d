/**
 * The arena: one WASM instance and its memory, laid out by the host. Calls are tiled through it in chunks of
 * query rows and blocks of keys, so its size does not follow the tensors.
 * @module
 */
import type { Kernel } from './wasm-kernel.ts'

export const ARENA_BYTES: number = 2 ** 20
/** What it may grow to where several heads are worked on together. */
export const SHARED_BYTES: number = 2 ** 21
/** The most that an arena may be; reached by a headDim of 80,000. */
const MOST_BYTES = 2 ** 26
/** Left to the kernel, for its constants. */
export const KERNEL_BYTES: number = 2 ** 11
const PAGE_BYTES = 2 ** 16
const MOST_PAGES = 2 ** 16
/** What a vector may reach over the end of the last row. */
const OVERHANG = 64

export class Arena {
  readonly kernel: Kernel
  readonly #memory: WebAssembly.Memory
  floats!: Float32Array
  doubles!: Float64Array
  ints!: Int32Array
  words!: Uint32Array
  halves!: Uint16Array
  bytes!: Uint8Array
  codes!: Int8Array

  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: ARENA_BYTES / PAGE_BYTES }),
  ) {
    this.#memory = memory
    this.kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernel
    if (this.kernel.heapBase.value > KERNEL_BYTES)
      throw new Error('wasm: the constants of the kernel reach into the arena')
    this.#view()
  }

  /**
   * Grows once where several heads are worked on together, and for a headDim of a thousand and more, where the smallest
   * chunk and block exceed the arena.
   * @throws RangeError beyond the most that an arena may be
   */
  reserve(bytes: number): void {
    if (bytes > MOST_BYTES) {
      const most = MOST_BYTES / 2 ** 20
      throw new RangeError(
        `headDim: expected rows of which the WASM backend can hold a block in ${most} MiB, got a need of ${Math.ceil(bytes / 2 ** 20)} MiB`,
      )
    }
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

/** Memory of a cache: its own arena comes first, so that a kernel finds both in one memory. */
interface Storage {
  readonly memory: WebAssembly.Memory
  /** Made at the first call. */
  arena?: Arena
  taken: boolean
}

/** Calls that are under way at the same time have an arena each; a finished call leaves its arena to the next. */
export class Arenas {
  readonly #module: WebAssembly.Module
  readonly #free: Arena[] = []
  readonly #storages = new WeakMap<ArrayBufferLike, Storage>()

  constructor(module: WebAssembly.Module) {
    this.#module = module
    this.#free.push(new Arena(module))
  }

  /**
   * An arena, in the memory of `keys` where these lie in the storage of a cache. Such memory never grows, as that would
   * detach the cache; and while another call works in it, its keys are copied like any others.
   */
  take(bytes: number, keys: ArrayBufferLike): Arena {
    const storage = this.#storages.get(keys)
    if (storage && !storage.taken && bytes <= ARENA_BYTES) {
      storage.arena ??= new Arena(this.#module, storage.memory)
      storage.taken = true
      return storage.arena
    }
    return this.#free.pop() ?? new Arena(this.#module)
  }

  give(arena: Arena): void {
    const storage = this.#storages.get(arena.bytes.buffer)
    if (storage) storage.taken = false
    else this.#free.push(arena)
  }

  /**
   * Memory for a cache, behind an arena. Undefined where it is more than WebAssembly has (4 GiB), or where the engine has
   * no more of it: engines set many times the address space aside, so there is room for about a hundred.
   */
  storage(bytes: number): { buffer: ArrayBuffer; at: number } | undefined {
    const pages = Math.ceil((ARENA_BYTES + bytes + OVERHANG) / PAGE_BYTES)
    if (bytes === 0 || pages > MOST_PAGES) return undefined
    let memory: WebAssembly.Memory
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    } catch {
      return undefined
    }
    const { buffer } = memory
    this.#storages.set(buffer, { memory, taken: false })
    return { buffer, at: ARENA_BYTES }
  }
}
