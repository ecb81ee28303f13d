/** TensorFlow.js with its WebAssembly backend, run in Node: attention made of matMul, softmax, matMul. */
import { createRequire } from 'node:module'
import { openBest } from './common/choose.mjs'
import { whyNotLoaded } from './common/reason.mjs'
import { tfjsWays } from './tfjs/ways.mjs'

/** The CommonJS builds are the ones meant for Node, and both must see one tfjs-core. */
const require = createRequire(import.meta.url)

/** @returns {Promise<typeof import('@tensorflow/tfjs-core')>} */
async function load() {
  const tf = require('@tensorflow/tfjs-core')
  require('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend('wasm')
  return tf
}

/** @type {import('../contender.ts').Contender} */
export default {
  name: 'tfjs-wasm',
  available: () => whyNotLoaded(load),
  async versions() {
    return { '@tensorflow/tfjs-backend-wasm': require('@tensorflow/tfjs-backend-wasm').version_wasm }
  },
  async prepare(work) {
    // Its own switch for threads answers no in Node (tensorflow/tfjs#3830).
    if (work.threads > 1) return 'tfjs-backend-wasm has no threads in Node'
    if (work.shape.options?.float16) return 'tfjs-backend-wasm has no float16'
    return openBest(tfjsWays(await load(), work), work)
  },
}
