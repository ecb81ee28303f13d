/**
 * The entry for workerd and edge-light hosts, which refuse to compile bytes: the .wasm files come as modules.
 * The functions are those of `index.ts`, documented there.
 * @module
 */
import type { Attention } from './attention/api.ts'
import { type LoadOptions, lazily, load as loadWith, type Runtime } from './attention/provider.ts'
import relaxed from './relaxed.wasm?module'
import simd from './simd.wasm?module'

const runtime: Runtime = { wasm: variant => (variant === 'simd' ? simd : relaxed) }
const { functions } = lazily(runtime)

export const attention: Attention['attention'] = functions.attention
export const attentionAsync: Attention['attentionAsync'] = functions.attentionAsync
export const attentionPartial: Attention['attentionPartial'] = functions.attentionPartial
export const attentionWeights: Attention['attentionWeights'] = functions.attentionWeights
export const plan: Attention['plan'] = functions.plan
export const info: Attention['info'] = functions.info

/** The same functions on a chosen backend. */
export function load(options?: LoadOptions): Attention {
  return loadWith(runtime, options)
}

export * from './attention/index.ts'
