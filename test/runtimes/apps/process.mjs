/**
 * The report of a runtime with processes (Node, Deno, Bun), printed as JSON.
 * @module
 */
import * as selfsame from 'selfsame'
import { reportOn } from './report.mjs'

console.log(JSON.stringify(reportOn(selfsame)))
