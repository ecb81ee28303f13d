/** The contender that both builds of ONNX Runtime share. */
import { openBest } from '../common/choose.mjs'
import { fromHalf } from '../common/half.mjs'
import { whyNotLoaded } from '../common/reason.mjs'
import { onnxModel } from './model.mjs'
import { onnxWays } from './ways.mjs'

/**
 * @typedef {import('onnxruntime-common')} Ort
 * @typedef {import('../../contender.ts').Contender} Contender
 * @typedef {import('../../contender.ts').Prepared} Prepared
 * @typedef {import('./ways.mjs').PlanWay} PlanWay
 * @typedef {{
 *   name: string,
 *   load(): Promise<Ort>,
 *   versions(ort: Ort): Record<string, string>,
 *   options(ort: Ort, threads: number): import('onnxruntime-common').InferenceSession.SessionOptions,
 *   leavesOut?(how: string, shape: import('../../contender.ts').Shape): boolean,
 * }} Build leavesOut: ways known to be hopeless, that would only cost time to try
 */

/** @param {Build} build @param {Ort} ort @param {PlanWay} way @param {number} threads @returns {Promise<Prepared>} */
async function open(build, ort, way, threads) {
  const plan = way.build()
  const session = await ort.InferenceSession.create(onnxModel(plan.node), build.options(ort, threads))
  const calls = plan.calls.map(({ inputs, result }) => ({
    feeds: Object.fromEntries(
      inputs.map(({ name, type, data, dims }) => [name, new ort.Tensor(type, data, dims)]),
    ),
    result,
  }))
  /** @type {(Float32Array | Uint16Array)[]} */
  let results = []
  return {
    how: way.how,
    async run() {
      results = []
      for (const { feeds, result } of calls) {
        // Memory for the result is not given beforehand: the library would copy it into a new tensor all the same.
        const outputs = await session.run(feeds, [result])
        results.push(/** @type {Float32Array | Uint16Array} */ (outputs[result].data))
      }
    },
    output: () =>
      plan.unpack(results.map(result => (result instanceof Float32Array ? result : fromHalf(result)))),
    close: () => session.release(),
  }
}

/** @param {Build} build @returns {Contender} */
export const ortContender = build => ({
  name: build.name,
  available: () => whyNotLoaded(build.load),
  versions: async () => build.versions(await build.load()),
  async prepare(work) {
    const ort = await build.load()
    const ways = onnxWays(work)
      .filter(({ how }) => !build.leavesOut?.(how, work.shape))
      .map(way => ({ how: way.how, open: () => open(build, ort, way, work.threads) }))
    return openBest(ways, work)
  },
})
