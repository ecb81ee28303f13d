/** ONNX Runtime's WebAssembly build, run in Node. */
import { ortContender } from './onnx/contender.mjs'

export default ortContender({
  name: 'ort-web',
  load: () => import('onnxruntime-web'),
  versions: ort => ({ 'onnxruntime-web': ort.env.versions.web ?? 'unknown' }),
  options: (ort, threads) => {
    ort.env.wasm.wasmPaths = new URL('./', import.meta.resolve('onnxruntime-web')).href
    ort.env.wasm.numThreads = threads
    return {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      logSeverityLevel: 4,
    }
  },
  // In WebAssembly 5 to 12 times behind `Attention` with many query rows: 22 s for one run of llama-2048.
  leavesOut: (how, { queries, cuSeqlens, options }) =>
    how.includes('GroupQueryAttention') && queries > 256 && !cuSeqlens && !options,
})
