/**
 * The native backend: C++ kernels in an addon, on a pool of threads.
 * @module
 */
import {
  type Arrays,
  Feature,
  Output,
  PLAN_WORDS,
  type Plan,
  QUANTISED,
  type Stored,
} from '../attention/plan.ts'
import type { Backend, Kernel, Prepared } from './backend.ts'
import { loadAddon } from './native-addon.ts'

type Isa = string
type Call = [
  isa: Isa,
  threads: number,
  words: Float64Array,
  items: Int32Array,
  q: Arrays['q'],
  k: Arrays['k'],
  v: Arrays['v'],
  pages: Arrays['pages'],
  keep: Arrays['keep'],
  drop: Arrays['drop'],
  bias: Arrays['bias'],
  alibi: Arrays['alibi'],
  sinks: Arrays['sinks'],
  rows: Arrays['rows'],
  out: Arrays['out'],
  lse: Arrays['lse'],
  weights: Arrays['weights'],
  scores: Arrays['scores'],
  mass: Arrays['mass'],
  stop: Int32Array | undefined,
]
type Start<Result> = (...call: Call) => Result

/** What the addon exports. It checks types and spans of what it is given, and no semantics. */
interface Addon {
  readonly planWords: number
  /** The fastest first. */
  readonly isas: readonly {
    readonly isa: Isa
    readonly supported: boolean
    /** Bits of Feature: the precisions below float32 that it has on this CPU. */
    readonly precisions: number
  }[]
  /** Threads that really run at once: affinity and container quota. */
  readonly cores: number
  run: Start<void>
  /** The work stops soon after the first element of `stop` is no longer 0; the promise settles when it has. */
  runAsync: Start<Promise<void>>
  prepare(isa: Isa, threads: number, words: Float64Array, items: Int32Array): Prepared
  describe(isa: Isa, threads: number, words: Float64Array, items: Int32Array): Kernel
  preferLargePages(array: Stored): void
}

const MAX_THREADS = 1024

/** All that a plan can ask for but the quantised precisions, which not every CPU has. */
const FEATURES: number = Object.values(Feature).reduce((all, bit) => all | bit, 0) & ~QUANTISED

/** Features that bring no array of their own. */
const BARE: number = Feature.softcap | Feature.half | QUANTISED

/**
 * Opens the addon on the best instruction set of this CPU, or on the one asked for.
 * @throws Error whose message is the reason why it does not run here
 */
export function openNative(options: { isa?: string; threads?: number } = {}): Backend {
  const addon = loadAddon() as Addon
  if (addon.planWords !== PLAN_WORDS.length) {
    throw new Error('the addon is of another version than this package; build it again')
  }
  const isa = chooseIsa(addon, options.isa)
  const { threads = addon.cores } = options
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new Error(`threads: expected an integer from 1 to ${MAX_THREADS}, got ${threads}`)
  }
  const run = addon.run.bind(addon)
  const runAsync = addon.runAsync.bind(addon)
  // Argument by argument: spread from an array they cost 150 ns more.
  const start = <Result>(how: Start<Result>, plan: Plan, a: Arrays, stop?: Int32Array): Result =>
    how(
      isa,
      plan.threads,
      plan.words,
      plan.items,
      a.q,
      a.k,
      a.v,
      a.pages,
      a.keep,
      a.drop,
      a.bias,
      a.alibi,
      a.sinks,
      a.rows,
      a.out,
      a.lse,
      a.weights,
      a.scores,
      a.mass,
      stop,
    )
  return {
    name: 'native',
    isa,
    threads,
    maxThreads: MAX_THREADS,
    features: FEATURES | addon.isas.find(entry => entry.isa === isa)!.precisions,
    run: (plan, arrays) => start(run, plan, arrays),
    prepare: plan =>
      plan.features & ~BARE || plan.outputs !== Output.output
        ? undefined
        : addon.prepare(isa, plan.threads, plan.words, plan.items),
    async runAsync(plan, arrays, signal) {
      signal?.throwIfAborted()
      const stop = new Int32Array(1)
      const onAbort = () => {
        stop[0] = 1
      }
      signal?.addEventListener('abort', onAbort)
      try {
        await start(runAsync, plan, arrays, stop)
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.throwIfAborted()
    },
    describe: plan => addon.describe(isa, plan.threads, plan.words, plan.items),
    prepareStorage: data => addon.preferLargePages(data),
  }
}

function chooseIsa(addon: Addon, asked: string | undefined): Isa {
  const built = addon.isas.map(({ isa }) => isa)
  const supported = addon.isas.filter(entry => entry.supported).map(({ isa }) => isa)
  if (asked !== undefined) {
    if (supported.includes(asked)) return asked
    throw new Error(
      `isa '${asked}': this binary has ${built.join(', ')}, and this CPU runs ${supported.join(', ')} of them`,
    )
  }
  // Plain C++ is slower than WASM SIMD: it serves only where it is asked for.
  const best = supported.find(isa => isa !== 'scalar')
  if (best !== undefined) return best
  throw new Error(`this CPU runs none of ${built.join(', ')} but scalar, which must be asked for by name`)
}
