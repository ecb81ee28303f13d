/**
 * NaN and Inf in a call: where nobody attends, so that nothing may change; or in one number that somebody attends to.
 * @module
 */
import { rulesOf } from '../../oracle/rules.ts'
import { type Shape, type Strides, shapeOf } from '../../oracle/shape.ts'
import type { OracleOptions, OracleTensor } from '../../oracle/types.ts'
import type { Random } from '../random.ts'
import type { Draft } from './draft.ts'
import { encode } from './storage.ts'

interface Call {
  q: OracleTensor
  k: OracleTensor
  v: OracleTensor
  options: OracleOptions
}

type Place = readonly [b: number, head: number, row: number]

/** Who attends to what: by key/value head for keys, by query head for rows. */
interface Attendance {
  readonly shape: Shape
  readonly rows: Place[]
  readonly idleRows: Place[]
  readonly keys: Place[]
  readonly idleKeys: Place[]
}

const KINDS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** Spoils the tensors of a call in place. */
export function poison(call: Call, kind: Draft['poison'], source: Random): void {
  if (kind === 'nowhere') return
  const { shape, idleRows, idleKeys, keys } = attendance(call)
  const write = (
    tensor: OracleTensor,
    strides: Strides,
    [b, head, row]: Place,
    channel: number,
    x: number,
  ) => {
    const data = tensor.data as Float32Array
    data[b * strides.batch + head * strides.head + row * strides.row + channel] = encode(tensor.type, x)
  }
  if (kind === 'unattended') {
    for (const place of idleKeys) {
      for (let c = 0; c < shape.headDim; c++) write(call.k, shape.k, place, c, source.pick(KINDS))
      for (let c = 0; c < shape.valueDim; c++) write(call.v, shape.v, place, c, source.pick(KINDS))
    }
    for (const place of idleRows)
      for (let c = 0; c < shape.headDim; c++) write(call.q, shape.q, place, c, source.pick(KINDS))
    poisonBias(call, shape)
    return
  }
  if (keys.length === 0) return
  const place = source.pick(keys)
  if (kind === 'a key') write(call.k, shape.k, place, source.below(shape.headDim), Number.NaN)
  else write(call.v, shape.v, place, source.below(shape.valueDim), Number.NaN)
}

function attendance({ q, k, v, options }: Call): Attendance {
  const shape = shapeOf(q, k, v, options)
  const rules = rulesOf(shape, options)
  const group = shape.heads / shape.kvHeads
  const found: Attendance = { shape, rows: [], idleRows: [], keys: [], idleKeys: [] }
  shape.items.forEach((item, b) => {
    for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
      const seen = new Uint8Array(item.keys)
      for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
        for (let i = 0; i < item.queries; i++) {
          let any = false
          for (let j = 0; j < item.keys; j++) {
            if (!rules.attended(b, head, i, j)) continue
            any = true
            seen[j] = 1
          }
          found[any ? 'rows' : 'idleRows'].push([b, head, item.queryFirst + i])
        }
      }
      for (let j = 0; j < item.keys; j++)
        found[seen[j] ? 'keys' : 'idleKeys'].push([b, kvHead, item.keyFirst + j])
    }
  })
  return found
}

/** Elements of the bias that are masked by something else wherever they are added. */
function poisonBias({ options }: Call, shape: Shape): void {
  const { bias, ...others } = options
  if (!bias) return
  const rules = rulesOf(shape, others)
  const dims = [1, 1, 1, 1, ...bias.dims].slice(-4)
  const used = new Uint8Array(bias.data.length)
  shape.items.forEach((item, b) => {
    for (let head = 0; head < shape.heads; head++) {
      for (let i = 0; i < item.queries; i++) {
        for (let j = 0; j < item.keys; j++) {
          if (!rules.attended(b, head, i, j)) continue
          const at = [b, head, item.queryFirst + i, item.keyFirst + j]
          used[at.reduce((sum, index, axis) => sum * dims[axis] + (dims[axis] === 1 ? 0 : index), 0)] = 1
        }
      }
    }
  })
  const data = bias.data as Float32Array
  for (let at = 0; at < data.length; at++) if (!used[at]) data[at] = encode(bias.type, Number.NaN)
}
