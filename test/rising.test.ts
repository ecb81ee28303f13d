/**
 * Rows whose scores rise far in the last block of keys that they see, while rows beside them see more: nothing that
 * their neighbours do with later keys may touch them.
 * @module
 */
import { describe, expect, test } from 'vitest'
import type { AttentionOptions } from '../src/index.ts'
import { namedKernels } from './support/platforms.ts'
import { namedPrecisions } from './support/precisions.ts'
import './support/replay.ts'

const [ROWS, KEYS, CHANNELS] = [32, 528, 16]
/** A multiple of every block: row 16 is the first with a key in the next one. */
const LAST = 512
/** Far above the 13.9 that weights may rise by before what is kept shrinks. */
const RISE = 40

const q = { data: new Float32Array(ROWS * CHANNELS).fill(1), dims: [ROWS, CHANNELS] }
const k = {
  data: Float32Array.from({ length: KEYS * CHANNELS }, (_, i) =>
    i >= 384 * CHANNELS && i < LAST * CHANNELS ? RISE / CHANNELS : 0,
  ),
  dims: [KEYS, CHANNELS],
}
const v = { data: new Float32Array(KEYS * CHANNELS).fill(1), dims: [KEYS, CHANNELS] }
const causal: AttentionOptions = { causal: true, queryOffset: LAST - 16, scale: 1 }
const OPTIONS: [string, AttentionOptions][] = [
  ['plain', causal],
  ['softcap', { ...causal, softcap: 1000 }],
  ['bias', { ...causal, bias: { data: new Float32Array(KEYS), dims: [KEYS] } }],
]

describe.each(OPTIONS)('%s', (_, options) => {
  test.each(namedKernels)('%s', (_name, platform) => {
    const { data } = platform.open().attention(q, k, v, options)
    for (const x of data) expect(x).toBeCloseTo(1, 5)
  })

  test.each(namedPrecisions)('%s', (_name, platform, precision) => {
    const { data } = platform.open().attention(q, k, v, { ...options, precision })
    for (const x of data) expect(x).toBeCloseTo(1, 2)
  })
})
