/**
 * Attention of a real model, recorded from PyTorch by test/oracle/record-minilm.py: sentences with every
 * layer's q, k, v and the attention weights PyTorch made of them. recording/minilm.json says the rest.
 * @module
 */
import { readFileSync } from 'node:fs'
import { fromFloat16 } from '../numeric/half.ts'

export interface RecordedLayer {
  /** [1, heads, tokens, headDim] each. */
  readonly q: RecordedTensor
  readonly k: RecordedTensor
  readonly v: RecordedTensor
  /** PyTorch's weights [heads, tokens, tokens] of the model's own float32 run. */
  readonly modelWeights: Float32Array
  /** PyTorch's weights of exactly the q and k above, which are stored rounded to float16. */
  readonly storedWeights: Float32Array
}

export interface RecordedTensor {
  readonly data: Float32Array
  readonly dims: readonly [batch: 1, heads: number, tokens: number, headDim: number]
}

export interface RecordedSentence {
  readonly name: string
  readonly text: string
  /** Word pieces as the model reads them, with [CLS] and [SEP]. */
  readonly tokens: readonly string[]
  readonly layers: readonly RecordedLayer[]
}

export interface Recording {
  readonly model: string
  readonly license: string
  readonly versions: Readonly<Record<string, string>>
  readonly heads: number
  readonly headDim: number
  readonly sentences: readonly RecordedSentence[]
}

interface StoredArray {
  type: 'float16' | 'unorm16' | 'float32'
  offset: number
  dims: number[]
}

interface StoredSentence {
  name: string
  text: string
  tokens: string[]
  file: string
  bytes: number
  arrays: Record<'q' | 'k' | 'v' | 'modelWeights' | 'storedWeights', StoredArray>
}

/** Reads the recording that lies beside this module, in src/explain/ as in dist/ (the build copies it). */
export function readRecording(folder: URL = new URL('./recording/', import.meta.url)): Recording {
  const manifest = JSON.parse(readFileSync(new URL('minilm.json', folder), 'utf8'))
  const sentences = manifest.sentences.map((stored: StoredSentence) => readSentence(stored, folder))
  return { ...manifest, sentences }
}

/** The sentence of that name; an error names those there are. */
export function sentenceOf(recording: Recording, name: string): RecordedSentence {
  const found = recording.sentences.find(sentence => sentence.name === name)
  if (found) return found
  throw new RangeError(
    `name: expected one of ${recording.sentences.map(s => s.name).join(', ')}, got ${name}`,
  )
}

function readSentence(stored: StoredSentence, folder: URL): RecordedSentence {
  const file = readFileSync(new URL(stored.file, folder))
  if (file.length !== stored.bytes) {
    throw new Error(`${stored.file}: expected ${stored.bytes} bytes, found ${file.length}`)
  }
  const bytes = new DataView(file.buffer, file.byteOffset, file.length)
  const { q, k, v, modelWeights, storedWeights } = stored.arrays
  const tensor = (array: StoredArray, layer: number): RecordedTensor => {
    const [, heads, tokens, headDim] = array.dims
    return { data: readLayer(bytes, array, layer), dims: [1, heads, tokens, headDim] }
  }
  const layers = Array.from({ length: q.dims[0] }, (_, layer) => ({
    q: tensor(q, layer),
    k: tensor(k, layer),
    v: tensor(v, layer),
    modelWeights: readLayer(bytes, modelWeights, layer),
    storedWeights: readLayer(bytes, storedWeights, layer),
  }))
  return { name: stored.name, text: stored.text, tokens: stored.tokens, layers }
}

const READERS = {
  float16: { size: 2, read: (bytes: DataView, at: number): number => fromFloat16(bytes.getUint16(at, true)) },
  unorm16: { size: 2, read: (bytes: DataView, at: number): number => bytes.getUint16(at, true) / 65535 },
  float32: { size: 4, read: (bytes: DataView, at: number): number => bytes.getFloat32(at, true) },
}

/** One layer of an array [layers, ...]. */
function readLayer(bytes: DataView, array: StoredArray, layer: number): Float32Array {
  const { size, read } = READERS[array.type]
  const count = array.dims.slice(1).reduce((a, b) => a * b)
  const first = array.offset + layer * count * size
  return Float32Array.from({ length: count }, (_, i) => read(bytes, first + i * size))
}
