/**
 * Tables of calls that must be refused, by an error that names the argument, what was expected and what came.
 * @module
 */
import { expect, test } from 'vitest'
import type { Attention, AttentionOptions, TensorLike } from '../../src/index.ts'
import { load } from '../../src/index.ts'

export const api: Attention = load({ backend: 'reference' })

/** What a row throws: the kind, the argument named, and what else the message must say. */
export type Refusal = [
  what: string,
  call: () => unknown,
  kind: 'TypeError' | 'RangeError',
  argument: string,
  ...says: RegExp[],
]

/** A tensor of zeros. */
export function zeros(...dims: number[]): { data: Float32Array; dims: number[] } {
  return { data: new Float32Array(dims.reduce((size, dim) => size * dim, 1)), dims }
}

/** attention() on tensors that are fine, so that only the options can be wrong. */
export function withOptions(options: unknown, queries = 4, keys = 4): () => unknown {
  const q = zeros(2, 2, queries, 8)
  const kv = zeros(2, 2, keys, 8)
  return () => api.attention(q, kv, kv, options as AttentionOptions)
}

/** attention() on tensors of which some are wrong. */
export function withTensors(q: unknown, k: unknown = zeros(2, 2, 4, 8), v: unknown = k): () => unknown {
  return () => api.attention(q as TensorLike, k as TensorLike, v as TensorLike)
}

/** A view whose memory has been transferred away. */
export function detached<T extends ArrayBufferView<ArrayBuffer>>(view: T): T {
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

export function refuses(rows: Refusal[]): void {
  test.each(rows)('%s', (_what, call, kind, argument, ...says) => {
    const error = thrownBy(call)
    expect(error.name).toBe(kind)
    expect(error.message.startsWith(argument), `"${error.message}" names ${argument}`).toBe(true)
    expect(error.message.length, 'says more than a name').toBeGreaterThan(argument.length + 12)
    for (const pattern of says) expect(error.message).toMatch(pattern)
  })
}

export function thrownBy(call: () => unknown): Error {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return error as Error
  }
  throw new Error('nothing was thrown')
}
