/**
 * selfsame: self-attention for JavaScript, on the fastest backend that runs here.
 * This entry serves Node, Deno, Bun and browsers; `edge.ts` serves workerd and edge-light.
 *
 * @example
 * import { attention } from 'selfsame'
 * const dims = [1, 12, 128, 64]                                  // [batch, heads, sequence, headDim]
 * const random = () => ({ data: Float32Array.from({ length: 12 * 128 * 64 }, Math.random), dims })
 * const out = attention(random(), random(), random(), { causal: true })
 * @module
 */
import type { Attention } from './attention/api.ts'
import { prepareStorageBy } from './attention/cache/memory.ts'
import { type LoadOptions, lazily, load as loadWith, type Runtime } from './attention/provider.ts'
import { openNative } from './backends/native.ts'
import { compileInline, sourceOf } from './backends/wasm-inline.ts'

const runtime: Runtime = {
  native: openNative,
  wasm: compileInline,
  crew: async module => new (await import('./backends/wasm-crew.ts')).Crew(sourceOf(module)),
}
const { functions, open } = lazily(runtime)
prepareStorageBy(data => {
  try {
    open().backend.prepareStorage?.(data)
  } catch {
    // No backend serves here: calls say why, a cache needs none.
  }
})

/**
 * Scaled dot-product attention, softmax(scale * q kᵀ + bias) v, synchronously and on the thread pool
 * (Vaswani et al., "Attention Is All You Need", 2017; computed in tiles with an online softmax, never S x S).
 * @param q queries [batch, heads, queries, headDim] (see `layout`, `heads` and `cuSeqlens` for other ranks)
 * @param k keys [batch, kvHeads, keys, headDim]
 * @param v values [batch, kvHeads, keys, valueDim]; a `KvCache` takes the place of k and v: `attention(q, cache, options)`
 * @returns the output in q's layout and type, with valueDim channels
 * @throws TypeError or RangeError that names the argument, what was expected and what came
 */
export const attention: Attention['attention'] = functions.attention
/** `attention` off the event loop; `signal` stops the work itself. Do not change or transfer inputs until it settles. */
export const attentionAsync: Attention['attentionAsync'] = functions.attentionAsync
/** Attention over a part of the keys: a float32 output and its lse (natural log), for `mergePartials`. Takes no `sinks`. */
export const attentionPartial: Attention['attentionPartial'] = functions.attentionPartial
/** Attention with a look inside: exact weights, scores or mass, of all or some query rows. */
export const attentionWeights: Attention['attentionWeights'] = functions.attentionWeights
/** What a call would do: backend, kernel, tiles, flops, bytes; runs nothing. */
export const plan: Attention['plan'] = functions.plan
/** Which backend was picked, and why each other one was not. */
export const info: Attention['info'] = functions.info

/**
 * The same functions on a chosen backend; for benchmarks, tests and hosts with their own WASM module.
 * @throws Error that lists every reason when what is asked for is absent
 */
export function load(options?: LoadOptions): Attention {
  return loadWith(runtime, options)
}

export * from './attention/index.ts'
