/**
 * Heads as an axis of their own, and the past in front of what is new.
 * @module
 */
import type { Source } from '../attention/tensor.ts'

type Data = Source['data']

/** An array of the same kind. */
export function newLike(data: Data, length: number): Data {
  return data instanceof Float32Array ? new Float32Array(length) : new Uint16Array(length)
}

/** [batch, sequence, heads * channels] to [batch, heads, sequence, channels]. */
export function splitHeads({ data, dims, type }: Source, heads: number): Source {
  const [batch, sequence, width] = dims
  const channels = width / heads
  const split = newLike(data, data.length)
  for (let at = 0, b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let row = 0; row < sequence; row++, at += channels) {
        const from = (b * sequence + row) * width + h * channels
        split.set(data.subarray(from, from + channels), at)
      }
    }
  }
  return { data: split, dims: [batch, heads, sequence, channels], type }
}

/** [batch, heads, sequence, channels] to [batch, sequence, heads * channels]. */
export function joinHeads({ data, dims, type }: Source): Source {
  const [batch, heads, sequence, channels] = dims
  const width = heads * channels
  const joined = newLike(data, data.length)
  for (let at = 0, b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let row = 0; row < sequence; row++, at += channels) {
        joined.set(data.subarray(at, at + channels), (b * sequence + row) * width + h * channels)
      }
    }
  }
  return { data: joined, dims: [batch, sequence, width], type }
}

/** The past, then what is new, along the sequence; both [batch, heads, sequence, channels]. */
export function concatenate(past: Source, fresh: Source): Source {
  const [batch, heads, pastRows, channels] = past.dims
  const sequence = pastRows + fresh.dims[2]
  const head = sequence * channels
  const pastHead = pastRows * channels
  const freshHead = fresh.dims[2] * channels
  const data = newLike(fresh.data, batch * heads * head)
  for (let n = 0; n < batch * heads; n++) {
    data.set(past.data.subarray(n * pastHead, (n + 1) * pastHead), n * head)
    data.set(fresh.data.subarray(n * freshHead, (n + 1) * freshHead), n * head + pastHead)
  }
  return { data, dims: [batch, heads, sequence, channels], type: fresh.type }
}
