/**
 * How tensors and options travel.
 * @module
 */

/** Options that JSON has as lists of numbers, and the arrays that the library takes. */
const ARRAYS = {
  alibi: Float32Array,
  sinks: Float32Array,
  keyLengths: Int32Array,
  queryLengths: Int32Array,
  leftPad: Int32Array,
  queryOffset: Int32Array,
}
/** Options that are tensors. */
const TENSORS = { bias: Float32Array, keep: Uint8Array, drop: Uint8Array }

/** `{ q, k, v, options }` from JSON. */
export function readJson(body) {
  const { q, k, v, options } = asObject(JSON.parse(new TextDecoder().decode(body)))
  return { q: tensorOf('q', q), k: tensorOf('k', k), v: tensorOf('v', v), options: readOptions(options) }
}

/** The same from a header and the numbers behind it, which are not copied. */
export function readBinary(body) {
  const [header, start] = readHeader(body)
  const { options, ...tensors } = header
  let offset = start
  const take = name => {
    const dims = asObject(tensors[name], name).dims
    const count = Array.isArray(dims) ? dims.reduce((a, b) => a * b, 1) : Number.NaN
    if (!Number.isSafeInteger(count) || count < 0 || offset + 4 * count > body.byteLength)
      throw new RangeError(`${name}: its dims ${dims} reach beyond the ${body.byteLength} bytes of the body`)
    const data = new Float32Array(body, offset, count)
    offset += 4 * count
    return { data, dims }
  }
  return { q: take('q'), k: take('k'), v: take('v'), options: readOptions(options) }
}

/** A header, padded to a multiple of four bytes, and numbers. */
export function packBinary(header, data) {
  const text = JSON.stringify(header)
  const bytes = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4))
  const packed = new Uint8Array(4 + bytes.length + data.byteLength)
  new DataView(packed.buffer).setUint32(0, bytes.length, true)
  packed.set(bytes, 4)
  packed.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 4 + bytes.length)
  return packed
}

function readHeader(body) {
  const length = body.byteLength >= 4 ? new DataView(body).getUint32(0, true) : 0
  if (length === 0 || length % 4 !== 0 || 4 + length > body.byteLength)
    throw new RangeError(`expected the length of a header, a multiple of 4 within the body; got ${length}`)
  return [asObject(JSON.parse(new TextDecoder().decode(body.slice(4, 4 + length)))), 4 + length]
}

function tensorOf(name, value, Numbers = Float32Array) {
  const { data, ...rest } = asObject(value, name)
  return { ...rest, data: numbersOf(`${name}.data`, data, Numbers) }
}

function readOptions(options = {}) {
  const entries = Object.entries(asObject(options, 'options')).map(([name, value]) => {
    if (TENSORS[name]) return [name, tensorOf(name, value, TENSORS[name])]
    return [name, ARRAYS[name] && Array.isArray(value) ? numbersOf(name, value, ARRAYS[name]) : value]
  })
  return Object.fromEntries(entries)
}

function numbersOf(name, list, Numbers) {
  if (!Array.isArray(list) || !list.every(Number.isFinite))
    throw new TypeError(`${name}: expected a list of numbers, got ${JSON.stringify(list)?.slice(0, 40)}`)
  return Numbers.from(list)
}

function asObject(value, name = 'body') {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new TypeError(`${name}: expected an object, got ${JSON.stringify(value)}`)
}
