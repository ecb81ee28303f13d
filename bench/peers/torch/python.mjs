/** A Python process that is asked and answers: torch/serve.py has the other end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @typedef {{ message: any, payload: Buffer }} Answer */

const SERVER = fileURLToPath(new URL('serve.py', import.meta.url))
const PYTHON = process.env.SELFSAME_BENCH_PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3')

/** @param {Float32Array} data */
const bytesOf = data => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

/** Takes answers off a stream: a line of JSON, then as many bytes as it says. @param {AsyncIterator<Buffer>} chunks */
async function* answersOf(chunks) {
  /** @type {Buffer} */
  let rest = Buffer.alloc(0)
  /** @type {() => Promise<Buffer | undefined>} */
  const more = async () => (await chunks.next()).value
  while (true) {
    let end = rest.indexOf('\n')
    while (end < 0) {
      const chunk = await more()
      if (!chunk) return
      rest = Buffer.concat([rest, chunk])
      end = rest.indexOf('\n')
    }
    const message = JSON.parse(rest.toString('utf8', 0, end))
    const parts = [rest.subarray(end + 1)]
    let missing = message.bytes - parts[0].length
    while (missing > 0) {
      const chunk = await more()
      if (!chunk) return
      parts.push(chunk)
      missing -= chunk.length
    }
    const all = Buffer.concat(parts)
    rest = all.subarray(message.bytes)
    yield { message, payload: all.subarray(0, message.bytes) }
  }
}

/** @param {number} threads */
export function startPython(threads) {
  const count = String(threads)
  const python = spawn(PYTHON, [SERVER], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: count, MKL_NUM_THREADS: count },
  })
  let said = ''
  python.stderr.on('data', text => {
    said += text
  })
  /** @type {Error | undefined} */
  let failure
  python.on('error', error => {
    failure = error
  })
  // Writing to one that has ended fails; that it has ended is told by the answer that does not come.
  python.stdin.on('error', () => {})
  const answers = answersOf(python.stdout[Symbol.asyncIterator]())
  return {
    /** @param {object} message @param {Float32Array[]} payload @returns {Promise<Answer>} */
    async ask(message, payload = []) {
      python.stdin.write(`${JSON.stringify(message)}\n`)
      for (const data of payload)
        if (!python.stdin.write(bytesOf(data)))
          await Promise.race([once(python.stdin, 'drain'), once(python, 'close')])
      const { value, done } = await answers.next()
      if (done) throw failure ?? new Error(said.trim().split('\n').at(-1) || `${PYTHON} ended`)
      if (value.message.error) throw new Error(value.message.error)
      return value
    },
    end() {
      python.stdin.end()
    },
  }
}
