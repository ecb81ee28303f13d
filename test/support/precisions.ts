/**
 * Precisions below float32: which platforms have them, their bounds, and calls that are hard on them.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { AttentionOptions } from '../../src/index.ts'
import { numbersOf } from '../oracle/half.ts'
import { oracle } from '../oracle/oracle.ts'
import type { OracleOptions, OracleTensor } from '../oracle/types.ts'
import { fillNormal } from './fill.ts'
import { type Platform, platforms } from './platforms.ts'
import { random } from './random.ts'
import { seedOf } from './sweep.ts'

export type LowPrecision = Exclude<NonNullable<AttentionOptions['precision']>, 'float32'>

/** The most that an output may be off, as a share of its Euclidean length. */
export const BOUNDS: Readonly<Record<LowPrecision, number>> = { int16: 5e-4, bfloat16: 6e-3, int8: 2e-2 }
export const PRECISIONS = Object.keys(BOUNDS) as LowPrecision[]

/** What this CPU should run, asked of the system, not of the package. */
export function expectedPrecisions({ backend, isa }: Platform): LowPrecision[] {
  if (backend.startsWith('wasm')) return ['int16']
  if (backend !== 'native' || (isa !== 'avx2' && isa !== 'avx512')) return []
  let flags = ''
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8')
  } catch {}
  if (isa === 'avx2') return ['int16']
  const needs = { int16: 'avx512_vnni', bfloat16: 'avx512_bf16', int8: 'avx512_vnni' }
  return PRECISIONS.filter(name => new RegExp(`\\b${needs[name]}\\b`).test(flags))
}

/** Every platform with every precision that it has, for `test.each`. */
export const namedPrecisions: readonly (readonly [string, Platform, LowPrecision])[] = platforms.flatMap(
  platform =>
    platform.threads === 1
      ? expectedPrecisions(platform).map(
          precision => [`${platform.name} ${precision}`, platform, precision] as const,
        )
      : [],
)

export interface HardSizes {
  batch?: number
  heads?: number
  kvHeads?: number
  rows?: number
  keys?: number
  headDim: number
  valueDim?: number
}

export interface HardCall {
  q: OracleTensor & { data: Float32Array }
  k: OracleTensor & { data: Float32Array }
  v: OracleTensor & { data: Float32Array }
}

/** What numbers are like: rows of the three tensors are changed in place. */
type Bend = (call: HardCall, dim: number, valueDim: number) => void

const eachRow = (data: Float32Array, dim: number, visit: (at: number, row: number) => void): void => {
  for (let row = 0; row * dim < data.length; row++) visit(row * dim, row)
}
const scaleChannel = (data: Float32Array, dim: number, channel: number, by: number): void =>
  eachRow(data, dim, at => {
    data[at + channel] *= by
  })

/** Normal numbers, and what trained models make of them: outliers in channels and tokens, large scores, sinks. */
export const NUMBERS: Readonly<Record<string, Bend>> = {
  normal: () => {},
  'a key channel of mean 20': ({ k }, dim) =>
    eachRow(k.data, dim, at => {
      k.data[at + 3] += 20
    }),
  'a key channel times 20': ({ k }, dim) => scaleChannel(k.data, dim, 3, 20),
  'a key and a value channel times 20': ({ k, v }, dim, valueDim) => {
    scaleChannel(k.data, dim, 3, 20)
    scaleChannel(v.data, valueDim, 5, 20)
  },
  'queries times 2': ({ q }) => {
    for (let i = 0; i < q.data.length; i++) q.data[i] *= 2
  },
  'queries times 8': ({ q }) => {
    for (let i = 0; i < q.data.length; i++) q.data[i] *= 8
  },
  'a key times 10 and a value times 100': ({ k, v }, dim, valueDim) => {
    for (let c = 0; c < dim; c++) k.data[7 * dim + c] *= 10
    for (let c = 0; c < valueDim; c++) v.data[7 * valueDim + c] *= 100
  },
  'values of mean 20': ({ v }) => {
    for (let i = 0; i < v.data.length; i++) v.data[i] += 20
  },
  'most of the weight on one key': ({ q, k, v }, dim, valueDim) => {
    eachRow(q.data, dim, at => {
      q.data[at] = 8
    })
    eachRow(k.data, dim, (at, row) => {
      k.data[at] = row === 0 ? 8 : 0
    })
    eachRow(v.data, valueDim, at => {
      v.data[at] += 3
    })
  },
}

export function hardCall(name: string, sizes: HardSizes): HardCall {
  const { batch = 1, heads = 2, kvHeads = heads, rows = 40, keys = 300, headDim } = sizes
  const { valueDim = headDim } = sizes
  const source = random(seedOf(name, headDim))
  const tensor = (of: number, tokens: number, dim: number) => ({
    data: fillNormal(source, batch * of * tokens * dim),
    dims: [batch, of, tokens, dim],
  })
  const call = {
    q: tensor(heads, rows, headDim),
    k: tensor(kvHeads, keys, headDim),
    v: tensor(kvHeads, keys, valueDim),
  }
  NUMBERS[name]?.(call, headDim, valueDim)
  return call
}

/** The length of the difference to the truth, as a share of the length of the truth. */
export function relativeError(got: ArrayLike<number>, exact: ArrayLike<number>): number {
  let error = 0
  let whole = 0
  for (let i = 0; i < exact.length; i++) {
    error += (got[i] - exact[i]) ** 2
    whole += exact[i] ** 2
  }
  return Math.sqrt(error / whole)
}

export function exactOutput(
  { q, k, v }: { q: OracleTensor; k: OracleTensor; v: OracleTensor },
  options: OracleOptions = {},
): Float64Array {
  return oracle(q, k, v, options).exact.output
}

export { numbersOf }
