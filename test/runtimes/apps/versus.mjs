/**
 * The backend that serves against the reference, on calls that reach every kind of kernel: for places where the
 * whole of the conformance cases would take minutes, such as an emulator.
 * @module
 */
import { attention, info, load } from 'selfsame'

let state = 1
const uniform = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 31 - 1
}
const random = (...dims) => ({
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, uniform),
  dims,
})
const calls = [
  [[1, 2, 65, 64], [1, 2, 65, 64], { causal: true }],
  [[2, 4, 33, 40], [2, 2, 70, 40], { softcap: 2, alibi: true, causal: 'bottom-right' }],
  [[1, 4, 1, 128], [1, 1, 300, 128], {}],
]
const reference = load({ backend: 'reference' })
let furthest = 0
for (const [rows, keys, options] of calls) {
  const [q, k, v] = [random(...rows), random(...keys), random(...keys)]
  const exact = reference.attention(q, k, v, options).data
  attention(q, k, v, options).data.forEach((x, i) => {
    furthest = Math.max(furthest, Math.abs(x - exact[i]))
  })
}
const { backend, isa, candidates } = info()
console.log(JSON.stringify({ backend, isa, furthest, why: candidates[0].reason }))
