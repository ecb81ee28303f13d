/**
 * The report of a page, left in its title for whoever opened it.
 * @module
 */
import * as selfsame from 'selfsame'
import { reportOn } from './report.mjs'

const isolated = globalThis.crossOriginIsolated
const report = () => {
  try {
    return { ...reportOn(selfsame), isolated }
  } catch (error) {
    return { error: String(error) }
  }
}
Object.assign(globalThis, { report: report() })
