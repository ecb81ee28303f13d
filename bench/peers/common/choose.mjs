/** Of all the ways a peer has for one shape, the best counts. */
import { wrongness } from './exact.mjs'
import { firstLine } from './reason.mjs'

/**
 * @typedef {import('../../contender.ts').Work} Work
 * @typedef {import('../../contender.ts').Prepared} Prepared
 * @typedef {{ how: string, open(): Promise<Prepared> }} Way
 * @typedef {{ how: string, seconds?: number, refused?: string }} Trial
 */

const TRIAL_SECONDS = 0.2
const FEWEST_RUNS = 2
/** A first run so much slower than the best way so far is not worth another, unless it is all warming up. */
const HOPELESS = 3
const WARMING_SECONDS = 0.02
/** A run as long as this is warm for most of it: the first says enough. */
const LONG_SECONDS = 0.5

/** @param {() => void | Promise<void>} run */
async function seconds(run) {
  const start = performance.now()
  await run()
  return (performance.now() - start) / 1000
}

/** @param {Prepared} prepared @param {number} first seconds of its first run */
async function fastest(prepared, first) {
  if (prepared.times) return Math.min(...(await prepared.times(TRIAL_SECONDS * 1000)))
  if (first > LONG_SECONDS) return first
  let least = Infinity
  let spent = 0
  for (let runs = 0; runs < FEWEST_RUNS || spent < TRIAL_SECONDS; runs++) {
    const time = await seconds(prepared.run)
    least = Math.min(least, time)
    spent += time
  }
  return least
}

/**
 * Opens, checks and shortly times one way; closes it again, because two ways of a large shape together
 * may not fit into memory.
 * @param {Way} way @param {Work} work @param {number} best seconds @returns {Promise<Trial>}
 */
async function tryOut({ how, open }, work, best) {
  /** @type {Prepared | undefined} */
  let prepared
  try {
    prepared = await open()
    const first = await seconds(prepared.run)
    const refused = wrongness(work, prepared.output())
    if (refused) return { how, refused }
    if (first > HOPELESS * Math.max(best, WARMING_SECONDS)) return { how, seconds: first }
    return { how, seconds: await fastest(prepared, first) }
  } catch (error) {
    return { how, refused: firstLine(error) }
  } finally {
    await prepared?.close?.()
  }
}

/** What became of every way. @param {Way[]} ways @param {Work} work @returns {Promise<Trial[]>} */
async function tryAll(ways, work) {
  const trials = []
  let best = Infinity
  for (const way of ways) {
    const trial = await tryOut(way, work, best)
    best = Math.min(best, trial.seconds ?? Infinity)
    trials.push(trial)
  }
  return trials
}

/** @param {Way[]} ways @param {Work} work @returns {Promise<Prepared | string>} */
export async function openBest(ways, work) {
  const chosen = ways.find(({ how }) => how === work.how)
  if (chosen) return chosen.open()
  const trials = await tryAll(ways, work)
  /** @type {Trial | undefined} */
  let best
  for (const trial of trials)
    if (trial.seconds !== undefined && trial.seconds < (best?.seconds ?? Infinity)) best = trial
  const way = ways.find(({ how }) => how === best?.how)
  return way ? way.open() : [...new Set(trials.map(({ refused }) => refused))].join('; ')
}
