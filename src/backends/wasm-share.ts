/**
 * What passes between the thread that was called and its workers. Tensors lie in shared memory; everything else is copied.
 * @module
 */
import type { Arrays, Plan } from '../attention/plan.ts'

/** Numbers in shared memory. They travel by these words: Deno walks through all elements of an array that is sent. */
export interface Place {
  readonly kind: 'Float32Array' | 'Uint32Array' | 'Int32Array' | 'Uint16Array' | 'Uint8Array' | 'Int8Array'
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly length: number
}

/** One plan for all workers, and the places of its arrays by their names. */
export interface Job {
  readonly plan: Plan
  readonly places: Readonly<Record<string, Place>>
  /** Words of CONTROL. */
  readonly control: Int32Array
}

/** The next chunk that nobody has taken; whether to stop. */
export const CONTROL = { next: 0, stop: 1 } as const

/** A build, compiled or not. */
export type WasmSource = WebAssembly.Module | Uint8Array<ArrayBuffer>

export type ToWorker = { readonly wasm: WasmSource } | { readonly job: Job }

/** When a worker has nothing left to do; with the reason where it failed. */
export interface Reply {
  readonly failure?: string
}

export function placesOf(arrays: Arrays): Record<string, Place> {
  const places = Object.entries(arrays).map(([name, array]) => {
    const { buffer, byteOffset, length } = array
    return [name, { kind: array.constructor.name, buffer, byteOffset, length }]
  })
  return Object.fromEntries(places)
}

export function arraysAt(places: Job['places']): Arrays {
  const arrays = Object.entries(places).map(([name, { kind, buffer, byteOffset, length }]) => [
    name,
    new globalThis[kind](buffer as ArrayBuffer, byteOffset, length),
  ])
  return Object.fromEntries(arrays) as Arrays
}
