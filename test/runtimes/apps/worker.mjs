/**
 * The report of workerd, as the answer to a request.
 * @module
 */
import * as selfsame from 'selfsame'
import { reportOn } from './report.mjs'

export default {
  fetch: () => Response.json(reportOn(selfsame)),
}
