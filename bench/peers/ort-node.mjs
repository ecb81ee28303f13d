/** ONNX Runtime for Node, CPU provider. Its Linux and Windows binaries are inside the npm package. */
import { ortContender } from './onnx/contender.mjs'

export default ortContender({
  name: 'ort-node',
  load: async () => (await import('onnxruntime-node')).default,
  versions: ort => ({ 'onnxruntime-node': ort.env.versions.node ?? 'unknown' }),
  options: (_, threads) => ({
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
  }),
})
