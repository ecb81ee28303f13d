/**
 * The smallest program: one key gets all the weight, so the output is its value, exactly.
 * @module
 */
import { attention, info } from 'selfsame'

const row = (...data) => ({ data: Float32Array.from(data), dims: [1, data.length] })
const { data } = attention(row(1, 2), row(3, 4), row(5, 6))
globalThis.report = { output: String(data), backend: info().backend }
console.log(JSON.stringify(globalThis.report))
