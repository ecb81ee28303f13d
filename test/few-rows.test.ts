/**
 * Few query rows over half-precision keys that are not all finite: what is read as stored where numbers allow it gives the
 * bits of the same numbers in float32.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { KvCache } from '../src/index.ts'
import { decodeFloat16, encodeFloat16 } from './oracle/half.ts'
import { compareBits } from './support/compare.ts'
import { fillNormal } from './support/fill.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import './support/replay.ts'

const [KEYS, DIM] = [150, 16]
const source = random(3)
const numbers = () => Uint16Array.from(fillNormal(source, KEYS * DIM), encodeFloat16)
const q = { data: fillNormal(source, 3 * DIM), dims: [1, 1, 3, DIM] }
const dims = [1, 1, KEYS, DIM]

/** A change of one key or value, in float16, beside normal numbers. */
const CHANGES: Record<string, { of: 'k' | 'v'; bits: number; factor?: number }> = {
  'an infinite value': { of: 'v', bits: 0x7c00 },
  'a value that is NaN': { of: 'v', bits: 0x7e00 },
  'an infinite key': { of: 'k', bits: 0xfc00 },
  'the smallest key': { of: 'k', bits: 0x0001 },
  'queries beyond the range of float16': { of: 'k', bits: 0, factor: 1e6 },
}

describe.each(namedKernels)('%s', (_, platform) => {
  const api = platform.open()

  test.each(Object.entries(CHANGES))('%s', (_, { of, bits, factor = 1 }) => {
    const given = { k: numbers(), v: numbers() }
    given[of][70 * DIM + 3] = bits
    const query = { ...q, data: q.data.map(x => x * factor) }
    const half = (data: Uint16Array) => ({ data, dims, type: 'float16' as const })
    const wide = (data: Uint16Array) => ({ data: Float32Array.from(data, decodeFloat16), dims })
    const cache = new KvCache({ kvHeads: 1, headDim: DIM, type: 'float16' })
    cache.append(half(given.k), half(given.v))
    for (const options of [{}, { causal: true, queryOffset: 80 } as const, { scale: 1e-3 }]) {
      const want = api.attention(query, wide(given.k), wide(given.v), options).data as Float32Array
      const tensor = api.attention(query, half(given.k), half(given.v), options).data as Float32Array
      const cached = api.attention(query, cache, options).data as Float32Array
      expect(compareBits('tensor', tensor, want)).toBeUndefined()
      expect(compareBits('cache', cached, want)).toBeUndefined()
    }
  })
})
