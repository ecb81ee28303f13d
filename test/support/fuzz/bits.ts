/**
 * The same bits for one drawn call however it is put: again, on other threads, an item alone or among others
 * (of a batch or ragged, whatever the layout), rows in chunks of more than 16 or whole.
 * @module
 */
import type { Attention, AttentionOptions, Partial, Tensor } from '../../../src/index.ts'
import { type Shape, shapeOf } from '../../oracle/shape.ts'
import type { OracleTensor } from '../../oracle/types.ts'
import type { Platform } from '../platforms.ts'
import { build, type FuzzCall } from './build.ts'
import type { Draft } from './draft.ts'
import { type Cut, outputRows, slice } from './slice.ts'

/** The rule holds for chunks of more than so many rows; smaller ones may take another kernel. */
const SMALL = 16

function sameBits(label: string, got: OracleTensor, want: OracleTensor): string | undefined {
  if (got.data.length !== want.data.length)
    return `${label}: ${got.data.length} numbers, not ${want.data.length}`
  const words = ({ data }: OracleTensor): Uint32Array | Uint16Array =>
    data instanceof Float32Array
      ? new Uint32Array(data.buffer, data.byteOffset, data.length)
      : (data as Uint16Array)
  const [a, b] = [words(got), words(want)]
  const at = a.findIndex((word, n) => word !== b[n])
  return at < 0 ? undefined : `${label}: [${at}] is ${got.data[at]} and ${want.data[at]}, of other bits`
}

const run = (api: Attention, { q, k, v, options }: FuzzCall, threads?: number): Tensor =>
  api.attention(q as Tensor, k as Tensor, v as Tensor, {
    ...(options as AttentionOptions),
    ...(threads !== undefined && { threads }),
  })

/** What differs in its bits on a platform. */
export function bitDifferences(draft: Draft, platform: Platform): string[] {
  // Spoilt numbers that nobody attends to stay: a neighbour's must not matter either. NaN has no bits of its own.
  const call = build({ ...draft, poison: draft.poison === 'unattended' ? 'unattended' : 'nowhere' })
  const api = platform.open()
  const shape = shapeOf(call.q, call.k, call.v, call.options)
  const whole = run(api, call)
  const problems = [sameBits('again', run(api, call), whole)]
  if (platform.backend === 'native') {
    for (const threads of [1, 2, 3])
      problems.push(sameBits(`on ${threads} threads`, run(api, call, threads), whole))
  }
  for (const cut of cutsOf(draft, shape)) {
    const own = run(api, slice(call, cut))
    const label = `item ${cut.item}, rows ${cut.from} to ${cut.to}, alone`
    problems.push(sameBits(label, own, outputRows(whole, shape, cut)))
  }
  problems.push(...partBits(call, shape, api))
  return problems.filter(problem => problem !== undefined)
}

/** Every item as it is, and in chunks where its rows are many. */
function cutsOf({ cuts }: Draft, { items }: Shape): Cut[] {
  return items.flatMap(({ queries, queryRows }, item) => {
    const whole = { item, from: 0, to: queries }
    if (queryRows <= 2 * SMALL + 1) return [whole]
    // The cut stands where the draft says, but leaves both sides enough rows that count.
    const room = queryRows - 2 * (SMALL + 1)
    const at = SMALL + 1 + Math.floor((room * (cuts[0] ?? 50)) / 100)
    return [whole, { item, from: 0, to: at }, { item, from: at, to: queries }]
  })
}

/** lse too. */
function partBits(call: FuzzCall, shape: Shape, api: Attention): (string | undefined)[] {
  const part = ({ q, k, v, options: { sinks, ...rest } }: FuzzCall): Partial =>
    api.attentionPartial(q as Tensor, k as Tensor, v as Tensor, rest as AttentionOptions)
  const whole = part(call).lse
  return shape.items.map(({ queries, queryFirst }, item) => {
    const own = part(slice(call, { item, from: 0, to: queries })).lse
    const want = new Float32Array(shape.heads * queries)
    for (let head = 0; head < shape.heads; head++) {
      for (let i = 0; i < queries; i++) {
        const at = item * shape.lse.batch + head * shape.lse.head + (queryFirst + i) * shape.lse.row
        want[head * queries + i] = whole.data[at]
      }
    }
    return sameBits(`lse of item ${item}, alone`, own, { data: want, dims: [] })
  })
}
