/**
 * examples/edge, bundled by wrangler and asked by HTTP in workerd: JSON and binary, right and wrong.
 * @module
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wrangler } from './support/bundlers.ts'
import { emptyFolder, root, setting } from './support/setting.ts'
import { startWorker, type Worker } from './support/workerd.ts'

let worker: Worker

beforeAll(async () => {
  // Where its `selfsame` is the one from the tarball.
  const example = join(setting.project, 'edge')
  cpSync(join(root, 'examples/edge'), example, { recursive: true })
  const folder = emptyFolder('edge')
  await wrangler(join(example, 'src/worker.mjs'), folder)
  worker = await startWorker(folder, 'worker.js')
})
afterAll(() => worker?.stop())

const post = (body: BodyInit, type: string): Promise<Response> =>
  fetch(`${worker.address}/attention`, { method: 'POST', body, headers: { 'content-type': type } })
const postJson = (body: unknown): Promise<Response> => post(JSON.stringify(body), 'application/json')

const q = { dims: [1, 2], data: [1, 2] }
const k = { dims: [2, 2], data: [3, 4, 3, 4] }
const v = { dims: [2, 2], data: [1, 2, 3, 4] }

test('says which backend serves', async () => {
  const info = (await (await fetch(worker.address)).json()) as { backend: string }
  expect(info.backend).toBe('wasm-relaxed')
})

test('JSON: equal keys give the mean of the values', async () => {
  const response = await postJson({ q, k, v })
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ dims: [1, 2], data: [2, 3] })
})

test('options: lists and tensors become the arrays that the library takes', async () => {
  const first = await postJson({ q, k, v, options: { keyLengths: [1] } })
  expect(await first.json()).toEqual({ dims: [1, 2], data: [1, 2] })
  const last = await postJson({ q, k, v, options: { keep: { dims: [1, 2], data: [0, 1] } } })
  expect(await last.json()).toEqual({ dims: [1, 2], data: [3, 4] })
})

test('binary: the same numbers as they lie in memory', async () => {
  const header = JSON.stringify({ q: { dims: q.dims }, k: { dims: k.dims }, v: { dims: v.dims } })
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 4) * 4))
  const body = new Uint8Array(4 + text.length + 40)
  new DataView(body.buffer).setUint32(0, text.length, true)
  body.set(text, 4)
  new Float32Array(body.buffer, 4 + text.length).set([...q.data, ...k.data, ...v.data])
  const response = await post(body, 'application/octet-stream')
  expect(response.status).toBe(200)
  const answer = await response.arrayBuffer()
  const length = new DataView(answer).getUint32(0, true)
  expect(JSON.parse(new TextDecoder().decode(answer.slice(4, 4 + length)))).toEqual({ dims: [1, 2] })
  expect([...new Float32Array(answer, 4 + length)]).toEqual([2, 3])
})

const wrong: [string, unknown, RegExp][] = [
  ['channels that differ', { q, k: { dims: [2, 1], data: [1, 2] }, v }, /headDim|channels|k:|dims/],
  ['too few numbers', { q: { dims: [1, 2], data: [1] }, k, v }, /q.*(2|1)/],
  ['an unknown option', { q, k, v, options: { casual: true } }, /casual/],
  ['no keys', { q, v }, /^k: expected an object/],
  ['words for numbers', { q: { dims: [1, 2], data: ['1', '2'] }, k, v }, /q\.data/],
  ['a list', [1, 2], /expected an object/],
]
test.each(wrong)('%s: 400, and a message that names it', async (_, body, says) => {
  const response = await postJson(body)
  const { error } = (await response.json()) as { error: string }
  expect(error).toMatch(says)
  expect(response.status).toBe(400)
})

test('what is no JSON, a header that is none, dims beyond the body: 400', async () => {
  expect((await post('{', 'application/json')).status).toBe(400)
  for (const bytes of [[], [255, 255, 255, 255], [1, 0, 0, 0, 123]]) {
    expect((await post(Uint8Array.from(bytes), 'application/octet-stream')).status).toBe(400)
  }
  const header = '{"q":{"dims":[9,9]},"k":{"dims":[1,1]},"v":{"dims":[1,1]}}  '
  const body = new Uint8Array([header.length, 0, 0, 0, ...new TextEncoder().encode(header)])
  const response = await post(body, 'application/octet-stream')
  expect(response.status).toBe(400)
  expect(await response.text()).toMatch(/q: its dims 9,9 reach beyond/)
})

test('other ways and methods: 404, 405', async () => {
  expect((await fetch(`${worker.address}/embed`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(`${worker.address}/attention`)).status).toBe(405)
})
