/**
 * Which backend has its own kernels for which option: found out by running each option against the oracle.
 * @module
 */
import type { Attention, AttentionOptions, Tensor, WeightsOptions } from '../../src/index.ts'
import { load } from '../../src/index.ts'
import { numbersOf } from '../oracle/half.ts'
import { oracle } from '../oracle/oracle.ts'
import type { OracleOptions, OracleTensor } from '../oracle/types.ts'
import { outputTruth } from './check.ts'
import { compare } from './compare.ts'
import { fillNormal } from './fill.ts'
import { stored } from './fuzz/storage.ts'
import { type Platform, platforms } from './platforms.ts'
import { random } from './random.ts'

export const BACKENDS = ['native', 'wasm-relaxed', 'wasm-simd', 'reference'] as const
export type BackendName = (typeof BACKENDS)[number]

/** `yes`: own kernels; `slow`: the reference stands in; `no`: refused by name. */
export type Cell = 'yes' | 'slow' | 'no'

/** One way to use an option. */
interface Use {
  options: WeightsOptions
  type?: 'float16' | 'bfloat16'
  /** How q, k and v lie; rank 4 with heads first otherwise. */
  form?: 'rank3' | 'ragged' | 'bshd'
  run?: (api: Attention, q: Tensor, k: Tensor, v: Tensor, options: WeightsOptions) => Tensor
}

const [BATCH, HEADS, KV_HEADS, ROWS, DIM] = [2, 4, 2, 37, 8]
const source = random(5)
const normals = (...dims: number[]): { data: Float32Array; dims: number[] } => ({
  data: fillNormal(
    source,
    dims.reduce((size, dim) => size * dim, 1),
  ),
  dims,
})
const lengths = Int32Array.of(37, 20)
const bytes = { data: Uint8Array.from({ length: ROWS * ROWS }, () => source.below(2)), dims: [ROWS, ROWS] }
const words = {
  data: Uint32Array.from({ length: ROWS * 2 }, () => source.word()),
  dims: [ROWS, ROWS],
  bits: true,
}
const bias = normals(HEADS, ROWS, ROWS)
const out = (): { out: Tensor } => ({
  out: { data: new Float32Array(BATCH * HEADS * ROWS * DIM), dims: [BATCH, HEADS, ROWS, DIM] },
})
const look =
  (...want: NonNullable<WeightsOptions['want']>): Use['run'] =>
  (api, q, k, v, options) =>
    api.attentionWeights(q, k, v, { ...options, want }).output
const inParts: Use['run'] = (api, q, k, v, options) => {
  const halves = [{ keyLengths: Int32Array.of(17, 17) }, { leftPad: Int32Array.of(17, 17) }].map(part =>
    api.attentionPartial(q, k, v, { ...options, ...part }),
  )
  return api.mergePartials(halves).output
}

/**
 * Every option of a call has a row (the compiler says which has none), and so have the types and the other functions.
 * A precision has other bounds, and depends on the CPU as well: the README tells of it in a table of its own.
 */
type RowName =
  | Exclude<keyof AttentionOptions, 'precision'>
  | 'float16 tensors'
  | 'bfloat16 tensors'
  | 'weights, scores'
  | 'mass'
  | 'partials, merged'
  | 'all that compose'

const ROWS_OF_OPTIONS: Record<RowName, readonly Use[]> = {
  heads: [{ options: { heads: HEADS, kvHeads: HEADS }, form: 'rank3' }],
  kvHeads: [{ options: { heads: HEADS, kvHeads: KV_HEADS }, form: 'rank3' }],
  layout: [{ options: { layout: 'bhsd' } }, { options: { layout: 'bshd' }, form: 'bshd' }],
  scale: [{ options: { scale: 0.2 } }, { options: { scale: -0.2 } }],
  softcap: [{ options: { softcap: 2 } }],
  causal: [
    { options: { causal: true } },
    { options: { causal: 'top-left' } },
    { options: { causal: 'bottom-right' } },
  ],
  queryOffset: [
    { options: { causal: true, queryOffset: 3 } },
    { options: { causal: true, queryOffset: Int32Array.of(0, -4) } },
  ],
  window: [
    { options: { window: { left: 5 } } },
    { options: { window: { left: 5, right: 2 }, causal: true } },
  ],
  keep: [{ options: { keep: bytes } }, { options: { keep: words } }],
  drop: [{ options: { drop: bytes } }, { options: { drop: words } }],
  bias: [{ options: { bias } }, { options: { bias: stored(bias, 'float16') } }],
  alibi: [{ options: { alibi: true } }, { options: { alibi: Float32Array.of(1, 0.5, 0.2, 0) } }],
  sinks: [{ options: { sinks: Float32Array.of(0, 1, -1, 2) } }],
  keyLengths: [{ options: { keyLengths: lengths } }],
  queryLengths: [{ options: { queryLengths: lengths } }],
  leftPad: [{ options: { leftPad: Int32Array.of(0, 9) } }],
  cuSeqlens: [
    { options: { cuSeqlens: { q: Int32Array.of(0, 20, 37), k: Int32Array.of(0, 20, 37) } }, form: 'ragged' },
  ],
  out: [{ options: out() }],
  threads: [{ options: { threads: 2 } }],
  'float16 tensors': [{ options: {}, type: 'float16' }],
  'bfloat16 tensors': [{ options: {}, type: 'bfloat16' }],
  'weights, scores': [
    { options: {}, run: look('weights') },
    { options: { causal: true, rows: Int32Array.of(1, 30) }, run: look('weights', 'scores') },
  ],
  mass: [{ options: {}, run: look('mass') }],
  'partials, merged': [{ options: {}, run: inParts }],
  'all that compose': [
    {
      options: {
        ...{
          scale: 0.3,
          softcap: 3,
          causal: true,
          queryOffset: 1,
          window: { left: 20 },
          keep: words,
          drop: bytes,
        },
        ...{
          bias,
          alibi: true,
          sinks: Float32Array.of(0, 1, -1, 2),
          keyLengths: lengths,
          queryLengths: lengths,
        },
        ...{ leftPad: Int32Array.of(0, 3) },
      },
    },
  ],
}

interface Prepared {
  readonly tensors: readonly Tensor[]
  readonly truth: ReturnType<typeof outputTruth>
}

function prepare({ type, form, options }: Use): Prepared {
  const kvHeads = form === 'rank3' && options.kvHeads === HEADS ? HEADS : KV_HEADS
  const [q, k, v] = [HEADS, kvHeads, kvHeads].map(heads => {
    const dims = {
      rank3: [BATCH, ROWS, heads * DIM],
      ragged: [ROWS, heads, DIM],
      bshd: [BATCH, ROWS, heads, DIM],
    }
    return stored(normals(...(form ? dims[form] : [BATCH, heads, ROWS, DIM])), type)
  })
  return { tensors: [q, k, v] as Tensor[], truth: outputTruth(oracle(q, k, v, options as OracleOptions)) }
}

/** Runs one use; throws where the numbers are wrong or a refusal does not name the option. */
function cellOf(name: string, use: Use, { tensors: [q, k, v], truth }: Prepared, platform: Platform): Cell {
  // Loaded anew, for a warning comes once.
  const api = load({ backend: platform.backend, isa: platform.isa, threads: 1 } as Parameters<typeof load>[0])
  const run = use.run ?? ((api, q, k, v, options) => api.attention(q, k, v, options))
  let output: Tensor | undefined
  const warned = warningsOf(() => {
    try {
      output = run(api, q, k, v, use.options)
    } catch (error) {
      const argument = name.split(' ')[0]
      if (!(error instanceof RangeError) || !error.message.startsWith(`${argument}:`)) throw error
    }
  })
  if (output === undefined) return 'no'
  const problem = compare(name, numbersOf(output as OracleTensor), truth, use.type)
  if (problem) throw new Error(`${platform.name}: ${problem}`)
  if (use.run === undefined && api.plan(q, k, v, use.options).missing.length > 0 !== warned)
    throw new Error(`${platform.name}: ${name}: plan() and the run differ about who runs it`)
  return warned ? 'slow' : 'yes'
}

/** Whether the package warned that another backend stands in. */
function warningsOf(run: () => void): boolean {
  const own = process.emitWarning
  let warned = false
  process.emitWarning = () => {
    warned = true
  }
  try {
    run()
  } finally {
    process.emitWarning = own
  }
  return warned
}

const ORDER: readonly Cell[] = ['yes', 'slow', 'no']
const worst = (cells: readonly Cell[]): Cell => ORDER[Math.max(...cells.map(cell => ORDER.indexOf(cell)))]

/** A row per option: of each backend that runs here the worst cell of its instruction sets and of the option's uses. */
export function optionsTable(): Map<string, Partial<Record<BackendName, Cell>>> {
  const table = new Map<string, Partial<Record<BackendName, Cell>>>()
  for (const [name, uses] of Object.entries(ROWS_OF_OPTIONS)) {
    const prepared = uses.map(use => [use, prepare(use)] as const)
    const row: Partial<Record<BackendName, Cell>> = {}
    for (const backend of BACKENDS) {
      const own = platforms.filter(platform => platform.backend === backend && platform.threads === 1)
      const cells = own.flatMap(platform => prepared.map(([use, call]) => cellOf(name, use, call, platform)))
      if (cells.length > 0) row[backend] = worst(cells)
    }
    table.set(name, row)
  }
  return table
}

/** What the cells say. */
const LEGEND =
  'yes: kernels of its own, held to the oracle; slow: the reference stands in, with a warning; no: refused by name.'

/** As the README shows it. */
export function inMarkdown(table: ReturnType<typeof optionsTable>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rows = [...table].map(([name, row]) =>
    line([named(name), ...BACKENDS.map(backend => row[backend] ?? '?')]),
  )
  const head = [
    line(['option', ...BACKENDS.map(name => `\`${name}\``)]),
    line(['---', ...BACKENDS.map(() => '---')]),
  ]
  return [LEGEND, '', ...head, ...rows].join('\n')
}

/** Names that are code look so. */
function named(name: string): string {
  const [first] = name.split(' ')
  return name.includes(',') || /^(all|float16|bfloat16)/.test(name)
    ? name
    : name.replace(first, `\`${first}\``)
}
