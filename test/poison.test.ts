/**
 * Numbers that nobody attends to never matter, whatever they are; NaN that somebody attends to never hides.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { Attention, AttentionOptions } from '../src/index.ts'
import { rulesOf } from './oracle/rules.ts'
import { shapeOf } from './oracle/shape.ts'
import { buildCall, type Call, type Case } from './support/cases.ts'
import { compareBits } from './support/compare.ts'
import { namedKernels } from './support/platforms.ts'
import { random } from './support/random.ts'
import { rangeCases } from './support/range-cases.ts'
import { scoreCases } from './support/score-cases.ts'
import { seedOf, sizeCases } from './support/sweep.ts'
import './support/replay.ts'

const POISON = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38]

const cases: Case[] = [
  ...sizeCases().filter((c, n) => n % 4 === 0 && c.queries * c.keys > 0),
  ...rangeCases().filter(c => c.queries * c.keys > 0),
  ...scoreCases().filter((c, n) => n % 2 === 0 && c.queries > 0),
]

/** Calls `visit` with every key of every key/value head, and whether any or all query rows attend to it. */
function eachKey(call: Call, visit: (kAt: number, vAt: number, attendedBy: number) => void): void {
  const shape = shapeOf(call.q, call.k, call.v, call.options)
  const rules = rulesOf(shape, call.options)
  const group = shape.heads / shape.kvHeads
  shape.items.forEach((item, b) => {
    for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
      for (let j = 0; j < item.keys; j++) {
        let attendedBy = 0
        for (let h = kvHead * group; h < (kvHead + 1) * group; h++) {
          for (let i = 0; i < item.queries; i++) if (rules.attended(b, h, i, j)) attendedBy++
        }
        const at = (s: typeof shape.k): number => b * s.batch + kvHead * s.head + (item.keyFirst + j) * s.row
        visit(at(shape.k), at(shape.v), attendedBy)
      }
    }
  })
}

function run(api: Attention, { q, k, v, options }: Call): Float32Array {
  return api.attention(q, k, v, options as AttentionOptions).data as Float32Array
}

function runLse(api: Attention, { q, k, v, options }: Call): Float32Array {
  const { sinks: _, ...rest } = options
  return api.attentionPartial(q, k, v, rest as AttentionOptions).lse.data as Float32Array
}

describe('what nobody attends to', () => {
  for (const c of cases) {
    const clean = buildCall(c)
    const poisoned = buildCall(c)
    const source = random(seedOf('poison', c.seed))
    let count = 0
    eachKey(poisoned, (kAt, vAt, attendedBy) => {
      if (attendedBy > 0) return
      count++
      const poison = source.pick(POISON)
      poisoned.k.data.fill(poison, kAt, kAt + c.headDim)
      poisoned.v.data.fill(poison, vAt, vAt + c.valueDim)
    })
    if (count === 0) continue
    describe(c.name, () => {
      test.each(namedKernels)('%s', (_, platform) => {
        const api = platform.open()
        expect(compareBits('output', run(api, clean), run(api, poisoned))).toBeUndefined()
        expect(compareBits('lse', runLse(api, clean), runLse(api, poisoned))).toBeUndefined()
      })
    })
  }
})

describe('NaN in one attended key or value', () => {
  for (const c of cases) {
    const clean = buildCall(c)
    const places: { kAt: number; vAt: number }[] = []
    eachKey(clean, (kAt, vAt, attendedBy) => {
      if (attendedBy > 0) places.push({ kAt, vAt })
    })
    if (places.length === 0) continue
    const source = random(seedOf('nan', c.seed))
    const place = source.pick(places)
    const channel = source.below(c.headDim)
    const valueChannel = source.below(c.valueDim)
    describe(c.name, () => {
      test.each(namedKernels)('%s', (_, platform) => {
        const api = platform.open()
        const plain = run(api, clean)
        const nanKey = buildCall(c)
        nanKey.k.data[place.kAt + channel] = Number.NaN
        expect(spread(nanKey, run(api, nanKey), plain, place.kAt, 'key', valueChannel)).toBe('')
        const nanValue = buildCall(c)
        nanValue.v.data[place.vAt + valueChannel] = Number.NaN
        expect(spread(nanValue, run(api, nanValue), plain, place.vAt, 'value', valueChannel)).toBe('')
      })
    })
  }
})

/** Rows that attend to the place are NaN, in all channels or in one; every other number keeps its bits. */
function spread(
  call: Call,
  got: Float32Array,
  plain: Float32Array,
  place: number,
  what: 'key' | 'value',
  channel: number,
): string {
  const shape = shapeOf(call.q, call.k, call.v, call.options)
  const rules = rulesOf(shape, call.options)
  const strides = what === 'key' ? shape.k : shape.v
  const problems: string[] = []
  shape.items.forEach((item, b) => {
    for (let h = 0; h < shape.heads; h++) {
      const kvHead = Math.floor((h * shape.kvHeads) / shape.heads)
      for (let i = 0; i < item.queries; i++) {
        let struck = false
        for (let j = 0; j < item.keys; j++) {
          const at = b * strides.batch + kvHead * strides.head + (item.keyFirst + j) * strides.row
          if (at === place && rules.attended(b, h, i, j)) struck = true
        }
        const start =
          b * shape.output.batch + h * shape.output.head + (item.queryFirst + i) * shape.output.row
        for (let c = 0; c < shape.valueDim; c++) {
          const expected = struck && (what === 'key' || c === channel) ? Number.NaN : plain[start + c]
          if (!Object.is(got[start + c], expected)) {
            problems.push(
              `item ${b} head ${h} row ${i} channel ${c}: ${got[start + c]} instead of ${expected}`,
            )
          }
        }
      }
    }
  })
  return problems.slice(0, 4).join('\n')
}

describe('NaN in a query', () => {
  test.each(namedKernels)('makes its row NaN and no other: %s', (_, platform) => {
    const c = sizeCases().find(({ name }) => name.includes('h8:2'))!
    const api = platform.open()
    const plain = run(api, buildCall(c))
    const call = buildCall(c)
    const row = c.headDim * 7
    call.q.data[row + 3] = Number.NaN
    const got = run(api, call)
    for (let at = 0; at < got.length; at++) {
      const inside = at >= row && at < row + c.valueDim
      if (!Object.is(got[at], inside ? Number.NaN : plain[at])) expect.fail(`output[${at}] is ${got[at]}`)
    }
  })
})

describe('NaN with a payload', () => {
  test.each(namedKernels)('counts as NaN: %s', (_, platform) => {
    const c = sizeCases().find(({ name }) => name.includes('h8:2'))!
    for (const payload of [0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff, 0xff812345]) {
      const call = buildCall({ ...c, heads: 2, kvHeads: 2 })
      new Uint32Array(call.k.data.buffer)[5] = payload
      const got = run(platform.open(), { ...call, options: {} })
      expect(got.subarray(0, c.queries * c.valueDim).every(Number.isNaN), payload.toString(16)).toBe(true)
      expect(got.subarray(c.queries * c.valueDim).some(Number.isNaN)).toBe(false)
    }
  })
})
