/**
 * Rows of numbers into the arena, as they lie or made float32. Rows that lie side by side move in one piece.
 * @module
 */
import { Storage } from '../attention/plan.ts'
import type { Arena } from './wasm-arena.ts'

export type Numbers = Float32Array | Uint32Array | Uint16Array | Uint8Array | Int8Array

/** Copies `rows` rows of `width` numbers; places and strides count numbers. */
export function copyRows(
  source: Numbers,
  from: number,
  sourceStride: number,
  target: Numbers,
  to: number,
  targetStride: number,
  rows: number,
  width: number,
): void {
  if (sourceStride === width && targetStride === width) {
    target.set(source.subarray(from, from + rows * width), to)
    return
  }
  for (let row = 0; row < rows; row++, from += sourceStride, to += targetStride) {
    target.set(source.subarray(from, from + width), to)
  }
}

/** Room in the arena for `count` numbers of a type that are to be float32 at the address `at`. */
export class Landing {
  readonly #arena: Arena
  readonly #type: number
  readonly #at: number
  readonly #count: number
  /** Where the numbers are put down as they are, and the place there. */
  readonly numbers: Numbers
  readonly first: number

  constructor(arena: Arena, type: number, at: number, count: number) {
    this.#arena = arena
    this.#type = type
    this.#at = at
    this.#count = Math.ceil(count / 4) * 4
    const isFloat = type === Storage.float32
    this.numbers = isFloat ? arena.floats : arena.halves
    // Halves lie in the upper half of the room, from where they can be spread over all of it.
    this.first = isFloat ? at / 4 : at / 2 + this.#count
  }

  /** When all numbers are there. */
  settle(): void {
    if (this.#type === Storage.float32) return
    this.#arena.kernel.widen(this.first * 2, this.#at, this.#count, this.#type)
  }
}
