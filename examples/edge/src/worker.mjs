/**
 * `POST /attention`: tensors in, the output tensor out; as JSON, or as binary where the request says so.
 * @module
 */
import { attention, info } from 'selfsame'
import { packBinary, readBinary, readJson } from './wire.mjs'

const BINARY = 'application/octet-stream'
/** An isolate has 128 MB: q, k, v and the output must fit, and JSON takes several times the room of its numbers. */
const MOST_BYTES = 16 * 2 ** 20

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return Response.json(info())
    if (pathname !== '/attention') return refuse(404, `there is no ${pathname}; POST /attention`)
    if (request.method !== 'POST') return refuse(405, `expected POST, got ${request.method}`)
    const body = await request.arrayBuffer()
    if (body.byteLength > MOST_BYTES)
      return refuse(413, `expected at most ${MOST_BYTES} bytes, got ${body.byteLength}`)
    const binary = request.headers.get('content-type')?.startsWith(BINARY)
    try {
      const { q, k, v, options } = binary ? readBinary(body) : readJson(body)
      const { data, dims } = attention(q, k, v, options)
      if (!binary) return Response.json({ dims, data: Array.from(data) })
      return new Response(packBinary({ dims }, data), { headers: { 'content-type': BINARY } })
    } catch (error) {
      // Input that the library refuses is the sender's mistake, and the message names it; anything else is ours.
      if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
        return refuse(400, error.message)
      throw error
    }
  },
}

const refuse = (status, error) => Response.json({ error }, { status })
