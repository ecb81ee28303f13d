/**
 * Not attention: the layer that attention replaced. h_t = tanh(W h + U x_t) over the tokens, one after the
 * other, of the same width as the attention beside it (heads * headDim), in float32 and plain JavaScript.
 * Each step waits for the last one, so no thread or wider vector shortens the chain; but the work grows with
 * the tokens and not with their square.
 * @module
 */
import type { Contender, OtherTask, Prepared, Work } from '../contender.ts'
import { normal } from '../data.ts'

export const rnnScan: Contender = {
  name: 'rnn-scan',
  available: async () => undefined,
  versions: async () => ({}),
  prepare: async work => prepare(work),
}

async function prepare({ shape, q, threads }: Work): Promise<Prepared | string> {
  const { batch, heads, kvHeads, queries: tokens, keys, headDim, causal, cuSeqlens } = shape
  if (threads > 1) return 'a chain of steps has no use for threads'
  if (batch > 1 || cuSeqlens || kvHeads !== heads || keys !== tokens || causal !== 'none') {
    return 'stands beside plain self-attention over one sequence only'
  }
  const width = heads * headDim
  // Of such a size that states neither die away nor saturate.
  const w = normal(width * width, 4).map(x => (x * 0.5) / Math.sqrt(width))
  const u = normal(width * width, 5).map(x => (x * 0.5) / Math.sqrt(width))
  const states = new Float32Array(tokens * width)
  const task: OtherTask = {
    flops: 4 * tokens * width * width,
    bytes: 4 * (2 * width * width + 2 * tokens * width),
    expected: () => scanExactly(w, u, q, tokens, width),
  }
  return {
    run() {
      scan(w, u, q, states, tokens, width)
    },
    output: () => states,
    how: 'h = tanh(W h + U x), token by token',
    instead: task,
  }
}

/** Four rows at a time, so that every number of h and x is read once for eight products. */
function scan(
  w: Float32Array,
  u: Float32Array,
  x: Float32Array,
  states: Float32Array,
  tokens: number,
  width: number,
): void {
  let before: Float32Array = new Float32Array(width)
  for (let t = 0; t < tokens; t++) {
    const input = x.subarray(t * width, (t + 1) * width)
    const after = states.subarray(t * width, (t + 1) * width)
    let row = 0
    for (; row + 4 <= width; row += 4) {
      const r0 = row * width
      const r1 = r0 + width
      const r2 = r1 + width
      const r3 = r2 + width
      let s0 = 0
      let s1 = 0
      let s2 = 0
      let s3 = 0
      for (let c = 0; c < width; c++) {
        const h = before[c]
        const e = input[c]
        s0 += w[r0 + c] * h + u[r0 + c] * e
        s1 += w[r1 + c] * h + u[r1 + c] * e
        s2 += w[r2 + c] * h + u[r2 + c] * e
        s3 += w[r3 + c] * h + u[r3 + c] * e
      }
      after[row] = Math.tanh(s0)
      after[row + 1] = Math.tanh(s1)
      after[row + 2] = Math.tanh(s2)
      after[row + 3] = Math.tanh(s3)
    }
    for (; row < width; row++) {
      let sum = 0
      for (let c = 0; c < width; c++) sum += w[row * width + c] * before[c] + u[row * width + c] * input[c]
      after[row] = Math.tanh(sum)
    }
    before = after
  }
}

function scanExactly(
  w: Float32Array,
  u: Float32Array,
  x: Float32Array,
  tokens: number,
  width: number,
): Float64Array {
  const states = new Float64Array(tokens * width)
  let before: Float64Array = new Float64Array(width)
  for (let t = 0; t < tokens; t++) {
    const after = states.subarray(t * width, (t + 1) * width)
    for (let row = 0; row < width; row++) {
      let sum = 0
      for (let c = 0; c < width; c++)
        sum += w[row * width + c] * before[c] + u[row * width + c] * x[t * width + c]
      after[row] = Math.tanh(sum)
    }
    before = after
  }
  return states
}
