/** PyTorch's scaled_dot_product_attention on the CPU, in a Python process of its own, where there is one. */
import { openBest } from './common/choose.mjs'
import { firstLine } from './common/reason.mjs'
import { startPython } from './torch/python.mjs'

/**
 * @typedef {import('../contender.ts').Work} Work
 * @typedef {import('../contender.ts').Prepared} Prepared
 */

/** @type {Promise<Record<string, string>> | undefined} */
let known
/** @returns {Promise<Record<string, string>>} */
function versions() {
  known ??= (async () => {
    const python = startPython(1)
    try {
      const { message } = await python.ask({ do: 'versions' })
      return { torch: message.torch, python: message.python }
    } finally {
      python.end()
    }
  })()
  return known
}

/** Name, sizes and numbers of every tensor. @param {Work} work @returns {[string, number[], Float32Array][]} */
function tensorsOf({ shape, q, k, v, bias, slopes, keep }) {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim, cuSeqlens } = shape
  const tokens = cuSeqlens?.at(-1)
  /** @param {number} count @param {number} rows @param {number} dim */
  const sizes = (count, rows, dim) =>
    tokens === undefined ? [batch, count, rows, dim] : [tokens, count, dim]
  return [
    tensor('q', sizes(heads, queries, headDim), q),
    tensor('k', sizes(kvHeads, keys, headDim), k),
    tensor('v', sizes(kvHeads, keys, valueDim), v),
    ...(bias ? [tensor('bias', [heads, queries, keys], bias)] : []),
    ...(slopes ? [tensor('slopes', [heads], slopes)] : []),
    ...(keep ? [tensor('keep', [queries, keys], Float32Array.from(keep))] : []),
  ]
}

/** @param {string} name @param {number[]} sizes @param {Float32Array} data @returns {[string, number[], Float32Array]} */
const tensor = (name, sizes, data) => [name, sizes, data]

/** @param {ReturnType<typeof startPython>} python @param {string} how @returns {Promise<Prepared>} */
async function open(python, how) {
  await python.ask({ do: 'open', way: how })
  /** @type {Float32Array} */
  let output = new Float32Array(0)
  return {
    how,
    async run() {
      const { payload } = await python.ask({ do: 'run' })
      output = new Float32Array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.length))
    },
    output: () => output,
    async times(milliseconds) {
      return (await python.ask({ do: 'times', milliseconds })).message.seconds
    },
  }
}

/** @type {import('../contender.ts').Contender} */
export default {
  name: 'torch',
  async available() {
    try {
      await versions()
      return undefined
    } catch (error) {
      return `no PyTorch: ${firstLine(error)} (SELFSAME_BENCH_PYTHON names a Python that has it)`
    }
  },
  versions,
  async prepare(work) {
    if (work.shape.options?.softcap) return 'scaled_dot_product_attention has no softcap'
    const python = startPython(work.threads)
    try {
      const all = tensorsOf(work)
      const tensors = all.map(([name, sizes]) => [name, sizes])
      const load = { do: 'load', shape: work.shape, threads: work.threads, tensors }
      const { message } = await python.ask(
        load,
        all.map(([, , data]) => data),
      )
      /** @type {string[]} */
      const names = message.ways
      const best = await openBest(
        names.map(how => ({ how, open: () => open(python, how) })),
        work,
      )
      if (typeof best !== 'string') return { ...best, close: python.end }
      python.end()
      return best
    } catch (error) {
      python.end()
      throw error
    }
  },
}
