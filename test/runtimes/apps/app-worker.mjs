/**
 * The smallest worker.
 * @module
 */
import './app.mjs'

export default {
  fetch: () => Response.json(globalThis.report),
}
