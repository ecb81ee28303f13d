/**
 * The storage of a cache: growth, limits, forks, truncation, disposal, and calls in flight.
 * @module
 */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PAGE_KEYS } from '../src/attention/plan.ts'
import { KvCache, load } from '../src/index.ts'
import { bits, filled, Model, queries } from './support/cache-model.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { thrownBy } from './support/refusals.ts'
import './support/replay.ts'

const SIZES = { batch: 1, kvHeads: 2, headDim: 8, valueDim: 6 }
const PAGE_BYTES = PAGE_KEYS * 2 * 14 * 4
const api = load({ backend: 'reference' })

/** The cache holds what the model does. */
function agrees(cache: KvCache, model: Model): void {
  expect([...cache.lengths]).toEqual(model.lengths)
  expect(cache.length).toBe(model.length)
  if (model.length === 0) return
  const { batch, headDim } = model.sizes
  const q = queries(1, batch, 2, 2, headDim)
  const { k, v } = model.dense()
  const keyLengths = Int32Array.from(model.lengths)
  expect(bits('content', api.attention(q, cache), api.attention(q, k, v, { keyLengths }))).toBeUndefined()
}

function grow(cache: KvCache, model: Model, source: ReturnType<typeof random>, count: number): void {
  const { k, v } = model.draw(source, count)
  cache.append(k, v)
}

describe('growth', () => {
  test('from nothing, by doubling: appending is linear', () => {
    const cache = new KvCache(SIZES)
    expect(cache.bytes).toBe(0)
    const model = new Model(SIZES)
    const source = random(1)
    for (let n = 0; n < 20; n++) grow(cache, model, source, 70)
    agrees(cache, model)
    expect(cache.bytes).toBe(Math.ceil(1400 / PAGE_KEYS) * PAGE_BYTES)
  })

  test('a long decode allocates a few times what it holds', () => {
    const token = new Model(SIZES).draw(random(2), 1)
    let allocated = 0
    class Counted extends Float32Array<ArrayBuffer> {
      constructor(...args: ConstructorParameters<typeof Float32Array<ArrayBuffer>>) {
        super(...args)
        if (typeof args[0] === 'number') allocated += this.byteLength
      }
    }
    vi.stubGlobal('Float32Array', Counted)
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    const cache = new KvCache(SIZES)
    for (let n = 0; n < 20_000; n++) cache.append(token.k, token.v)
    expect(allocated).toBeGreaterThanOrEqual(cache.bytes)
    // Growing by a page at a time would allocate eighty times as much.
    expect(allocated).toBeLessThanOrEqual(4 * cache.bytes)
  })

  test('capacity makes room at once, for every item', () => {
    const bytes = 2 * 3 * PAGE_BYTES
    const sizes = { ...SIZES, batch: 2 }
    const cache = new KvCache({ ...sizes, capacity: 600, maxBytes: bytes })
    expect(cache.bytes).toBe(0)
    const model = new Model(sizes)
    grow(cache, model, random(3), 3 * PAGE_KEYS)
    agrees(cache, model)
    expect(cache.bytes).toBe(bytes)
  })
})

describe('maxBytes', () => {
  test('is refused before anything changes, with what is needed and what is allowed', () => {
    const maxBytes = 3 * PAGE_BYTES
    const cache = new KvCache({ ...SIZES, maxBytes })
    const model = new Model(SIZES)
    const source = random(4)
    grow(cache, model, source, 600)
    const { k, v } = new Model(SIZES).draw(source, 169)
    const error = thrownBy(() => cache.append(k, v))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toMatch(new RegExp(`^maxBytes: .*${maxBytes} bytes.*${4 * PAGE_BYTES}`))
    agrees(cache, model)
    grow(cache, model, source, 168)
    agrees(cache, model)
    expect(() => grow(cache, model.fork(), source, 1)).toThrow(/^maxBytes/)
  })

  test('holds to the byte, and for the first capacity', () => {
    expect(() => new KvCache({ ...SIZES, capacity: 1, maxBytes: PAGE_BYTES - 1 })).toThrow(/^maxBytes/)
    expect(() => new KvCache({ ...SIZES, capacity: PAGE_KEYS, maxBytes: PAGE_BYTES })).not.toThrow()
    expect(() => new KvCache({ ...SIZES, capacity: PAGE_KEYS + 1, maxBytes: PAGE_BYTES })).toThrow(
      /^maxBytes/,
    )
    expect(() => new KvCache({ ...SIZES, maxBytes: 0 })).not.toThrow()
  })

  test('is common to a cache and its forks, whose shared pages count once', () => {
    const cache = new KvCache({ ...SIZES, maxBytes: 4 * PAGE_BYTES })
    const model = new Model(SIZES)
    const source = random(5)
    grow(cache, model, source, 600)
    const forks = [cache.fork(), cache.fork(), cache.fork()]
    for (const fork of forks) expect(fork.bytes).toBe(3 * PAGE_BYTES)
    // One fork writes into the last page, which is copied: four pages in all.
    grow(forks[0], model.fork(), source, 168)
    expect(() => grow(forks[1], model.fork(), source, 1)).toThrow(/^maxBytes/)
    forks[0].dispose()
    const other = model.fork()
    grow(forks[1], other, source, 1)
    agrees(forks[1], other)
    agrees(cache, model)
  })

  test('a size beyond all memory is an error that says so', () => {
    const huge = new KvCache({ batch: 1, kvHeads: 2 ** 20, headDim: 2 ** 20 })
    expect(huge.bytes).toBe(0)
    expect(() => new KvCache({ kvHeads: 2 ** 20, headDim: 2 ** 20, capacity: 1 })).toThrow(
      /^bytes: .*need of/,
    )
  })
})

describe('forks', () => {
  test.each([1, PAGE_KEYS - 1, PAGE_KEYS, PAGE_KEYS + 1, 300])(
    'of %i tokens go their own ways, and neither sees the other',
    count => {
      const { cache, model } = filled(SIZES, count, [50])
      const fork = cache.fork()
      const forked = model.fork()
      agrees(fork, forked)
      const source = random(6)
      for (const [one, own] of [
        [cache, model],
        [fork, forked],
        [cache, model],
      ] as const) {
        grow(one, own, source, 3)
        agrees(cache, model)
        agrees(fork, forked)
      }
      cache.truncate(count - 1)
      model.truncate([count - 1])
      grow(cache, model, source, 200)
      agrees(cache, model)
      agrees(fork, forked)
      cache.dispose()
      agrees(fork, forked)
    },
  )

  test('copy one page at most when they write', () => {
    const { cache } = filled(SIZES, 1000, [1000])
    const before = process.memoryUsage().arrayBuffers
    for (let n = 0; n < 200; n++) cache.fork().dispose()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(cache.bytes)
  })

  test('of a fork, with the same sizes', () => {
    const cache = new KvCache({ ...SIZES, window: 9, sinkTokens: 2 })
    const fork = cache.fork().fork()
    expect(fork).toMatchObject({ ...SIZES, type: 'float32', window: 9, sinkTokens: 2, length: 0 })
  })
})

describe('truncate', () => {
  test('then append: the new tokens stand where the old ones did', () => {
    const { cache, model } = filled(SIZES, 400, [400])
    const source = random(7)
    for (const length of [399, 385, 384, 256, 255, 1, 0]) {
      cache.truncate(length)
      model.truncate([length])
      agrees(cache, model)
      expect(cache.bytes).toBe(Math.ceil(length / PAGE_KEYS) * PAGE_BYTES)
      const longer = cache.fork()
      const own = model.fork()
      grow(longer, own, source, 5)
      agrees(longer, own)
      longer.dispose()
    }
  })

  test('per item, and one length for all, which leaves shorter ones alone', () => {
    const sizes = { ...SIZES, batch: 3 }
    const cache = new KvCache(sizes)
    const model = new Model(sizes)
    const { k, v } = model.draw(random(8), 200, [200, 10, 130])
    cache.append(k, v, { lengths: Int32Array.of(200, 10, 130) })
    cache.truncate(Int32Array.of(150, 9, 130))
    model.truncate([150, 9, 130])
    agrees(cache, model)
    cache.truncate(20)
    model.truncate([20, 9, 20])
    agrees(cache, model)
  })

  test('gives pages back: a bounded cache can be refilled for ever', () => {
    const cache = new KvCache({ ...SIZES, maxBytes: 2 * PAGE_BYTES })
    const model = new Model(SIZES)
    const source = random(9)
    for (let n = 0; n < 20; n++) {
      grow(cache, model, source, 200)
      agrees(cache, model)
      cache.truncate(n)
      model.truncate([n])
    }
  })
})

describe('dispose', () => {
  test('gives the pages back to the forks, and every later use throws', () => {
    const cache = new KvCache({ ...SIZES, maxBytes: 2 * PAGE_BYTES })
    const model = new Model(SIZES)
    grow(cache, model, random(10), PAGE_KEYS)
    const fork = cache.fork()
    fork.truncate(0)
    cache.dispose()
    const own = new Model(SIZES)
    grow(fork, own, random(11), 2 * PAGE_KEYS)
    agrees(fork, own)
    const { k, v } = own.dense()
    const q = queries(1, 1, 2, 1, 8)
    const uses: (() => unknown)[] = [
      () => cache.append(k, v),
      () => cache.truncate(0),
      () => cache.fork(),
      () => cache.snapshot(),
      () => cache.length,
      () => cache.lengths,
      () => cache.bytes,
      () => cache.batch,
      () => cache.type,
      () => api.attention(q, cache),
      () => api.attentionPartial(q, cache),
      () => api.attentionWeights(q, cache),
      () => api.plan(q, cache),
    ]
    for (const use of uses) {
      const error = thrownBy(use)
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toMatch(/^cache: .*disposed/)
    }
    cache.dispose()
  })

  test.skipIf(!Symbol.dispose)('is Symbol.dispose too', () => {
    const cache = new KvCache(SIZES)
    cache[Symbol.dispose]()
    expect(() => cache.length).toThrow(/disposed/)
  })
})

describe.each(namedKernels)('%s: a call in flight', (_, platform) => {
  const own = platform.open()

  test('sees the cache as it was, whatever becomes of it meanwhile', async () => {
    const sizes = { batch: 1, kvHeads: 2, headDim: 32, valueDim: 32 }
    // Room for all that follows, so that what is freed would be written over in place.
    const cache = new KvCache({ ...sizes, capacity: 900 })
    const { k, v } = new Model(sizes).draw(random(11), 300)
    cache.append(k, v)
    const q = queries(12, 1, 8, 300, 32)
    const want = own.attention(q, k, v, { causal: true })
    const running = [0, 1, 2].map(() => own.attentionAsync(q, cache, { causal: true }))
    const junk = new Model(sizes).draw(random(13), 500)
    cache.truncate(130)
    cache.append(junk.k, junk.v)
    cache.dispose()
    for (const promise of running) expect(bits('output', await promise, want)).toBeUndefined()
  })

  test('gives its pages back when it settles, also when it fails or is aborted', async () => {
    const sizes = { batch: 1, kvHeads: 1, headDim: 16, valueDim: 16 }
    const pageBytes = PAGE_KEYS * 32 * 4
    const cache = new KvCache({ ...sizes, maxBytes: 2 * pageBytes })
    const model = new Model(sizes)
    grow(cache, model, random(14), 400)
    const q = queries(15, 1, 4, 400, 16)
    const controller = new AbortController()
    const stopped = own.attentionAsync(q, cache, { signal: controller.signal })
    const running = own.attentionAsync(q, cache)
    // The last page is being read, so that the next token would need a third one.
    expect(() => grow(cache, model.fork(), random(16), 1)).toThrow(/^maxBytes/)
    controller.abort()
    // On a fast machine the first call may have ended before.
    const [first] = await Promise.allSettled([stopped, running])
    if (first.status === 'rejected') expect(first.reason).toBe(controller.signal.reason)
    await expect(own.attentionAsync(q, cache, { scale: Number.NaN })).rejects.toThrow(/^scale/)
    grow(cache, model, random(16), 1)
    expect([...cache.lengths]).toEqual([401])
  })
})
