/**
 * From what a caller asks of `load()` to the functions bound to a backend.
 * @module
 */
import type { Backend } from '../backends/backend.ts'
import { openReference } from '../backends/reference.ts'
import {
  BACKENDS,
  type Candidate,
  type Selection,
  select,
  type Wish,
  wishFromEnvironment,
} from '../backends/select.ts'
import { type LoadCrew, openWasm, supportsWasm, variantOf } from '../backends/wasm.ts'
import { version } from '../version.ts'
import type { Attention } from './api.ts'
import { checkInteger, checkNames, checkObject, checkOneOf, wrongType } from './check.ts'
import { bind } from './facade.ts'

export interface LoadOptions {
  /** Default: the fastest that runs here. 'wasm' takes the better of the two builds. */
  readonly backend?: Wish['backend']
  /** Native instruction set; asking for one asks for the native backend. */
  readonly isa?: string
  /** Threads of each call, unless the call says otherwise. */
  readonly threads?: number
  /** One of the package's own .wasm files, compiled; asks for that WASM backend. */
  readonly wasm?: WebAssembly.Module
}

/** What an entry of the package brings: how to reach native code and the WASM files in its runtime. */
export interface Runtime {
  /** Absent where addons cannot be loaded. */
  readonly native?: (wish: Wish) => Backend
  /** The compiled module of a variant. */
  readonly wasm: (variant: 'simd' | 'relaxed') => WebAssembly.Module
  /** Absent where workers cannot be started. */
  readonly crew?: LoadCrew
}

const NAMES: ReadonlySet<string> = new Set(['backend', 'isa', 'threads', 'wasm'])

/**
 * The functions of the package on a chosen backend.
 * @throws TypeError or RangeError for a bad option, Error with every reason when what is asked for is absent
 */
export function load(runtime: Runtime, options?: LoadOptions): Attention {
  const loaded = lazily(runtime, options)
  loaded.open()
  return loaded.functions
}

/** The same, opened at the first use. */
export function lazily(runtime: Runtime, options?: LoadOptions): { functions: Attention; open(): Selection } {
  let opened: Selection | undefined
  let reference: Backend | undefined
  const open = () => {
    opened ??= select(candidatesOf(runtime, options?.wasm), readWish(options))
    return opened
  }
  const functions = bind({
    backend: () => open().backend,
    reference: () => {
      reference ??= openReference()
      return reference
    },
    info: () => {
      const { backend, verdicts } = open()
      return {
        backend: backend.name,
        isa: backend.isa,
        threads: backend.threads,
        version,
        candidates: verdicts(),
      }
    },
  })
  return { functions, open }
}

function readWish(value: unknown): Wish {
  if (value === undefined) return wishFromEnvironment({})
  const options = checkObject(
    'options',
    value,
    'an object { backend?, isa?, threads?, wasm? }',
  ) as LoadOptions
  checkNames('options', options, NAMES)
  const { wasm, isa } = options
  if (options.backend !== undefined) checkOneOf('backend', options.backend, BACKENDS)
  if (isa !== undefined && typeof isa !== 'string')
    throw wrongType('isa', "'avx512', 'avx2', 'neon' or 'scalar'", isa)
  if (options.threads !== undefined) checkInteger('threads', options.threads, 1, 1024)
  if (wasm === undefined)
    return wishFromEnvironment({ backend: options.backend, isa, threads: options.threads })
  if (!(wasm instanceof WebAssembly.Module)) throw wrongType('wasm', 'a WebAssembly.Module', wasm)
  const name = `wasm-${variantOf(wasm)}` as const
  checkOneOf('backend', options.backend, [undefined, 'wasm', name])
  return wishFromEnvironment({ backend: name, threads: options.threads })
}

function candidatesOf(runtime: Runtime, given: WebAssembly.Module | undefined): Candidate[] {
  const wasm = (variant: 'simd' | 'relaxed'): Candidate => ({
    name: `wasm-${variant}`,
    open: ({ threads }) => {
      const refusal = supportsWasm(variant)
      if (refusal) throw new Error(refusal)
      const module = given && variantOf(given) === variant ? given : runtime.wasm(variant)
      return openWasm(variant, module, runtime.crew, threads)
    },
  })
  return [
    {
      name: 'native',
      open: wish => {
        if (!runtime.native) throw new Error('this runtime loads no native addons')
        return runtime.native(wish)
      },
    },
    wasm('relaxed'),
    wasm('simd'),
    { name: 'reference', open: openReference },
  ]
}
