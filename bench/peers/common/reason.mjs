/** Why something cannot be done, short enough for a line of the table. */

const LONGEST_REASON = 160

/** @param {unknown} error */
export const firstLine = error =>
  String(error instanceof Error ? error.message : error)
    .split('\n')[0]
    .slice(0, LONGEST_REASON)

/** @param {() => Promise<unknown>} load @returns {Promise<string | undefined>} undefined where it loads */
export async function whyNotLoaded(load) {
  try {
    await load()
    return undefined
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error)
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    return isMissing ? 'not installed (node bench/peers/install.mjs)' : firstLine(error)
  }
}
