/**
 * The onnx wheel's own cases of the operator Attention (test/oracle/record-onnx.py), on every platform.
 *
 * The wheel's runner allows a relative error of 1e-3. Here:
 * - float32: 2e-6. Both sides compute in float32 and round differently; 3.5e-7 was the most that was seen.
 * - float16, bfloat16: 1 and 2 steps of the type. The wheel's numbers were rounded to the type after every operation,
 *   ours once at the end, so the wheel's own distance from the exact result is what this allows for.
 * - present keys and values: no error at all.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { onnxAttention } from '../src/onnx/index.ts'
import { type OnnxTensor, onnxCases, recording } from './support/onnx-cases.ts'
import { namedPlatforms } from './support/platforms.ts'
import './support/replay.ts'

const RELATIVE = 2e-6
/** The runner's own, for results near 0. */
const ABSOLUTE = 1e-7
const STEPS = { float16: 1, bfloat16: 2 }

/** Bits of a half type as integers in the order of the numbers. */
const ordered = (bits: number): number => (bits & 0x8000 ? 0x8000 - bits : bits)

function difference(name: string, got: OnnxTensor, want: OnnxTensor): string | undefined {
  const exact = name.startsWith('present_')
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [got.data[i], want.data[i]]
    if (Object.is(a, b)) continue
    const fits =
      want.type === 'float32'
        ? a === b || Math.abs(a - b) <= ABSOLUTE + RELATIVE * Math.abs(b)
        : Math.abs(ordered(a) - ordered(b)) <= STEPS[want.type!]
    if (exact || !fits) return `${name}[${i}]: ${a} instead of ${b} (${want.type})`
  }
  return undefined
}

test('the recording is whole, and says what made it', () => {
  expect(recording.made).toMatchObject({
    onnx: expect.stringMatching(/^1\.23\./),
    numpy: /^\d/,
    python: /^3\./,
  })
  // Each case comes twice: as a node, and expanded into the graph that defines it.
  expect([recording.collected, recording.expanded, onnxCases.length]).toEqual([186, 93, 93])
  expect(new Set(onnxCases.map(({ name }) => name)).size).toBe(93)
  expect(new Set(onnxCases.map(({ opset }) => opset))).toEqual(new Set([23, 24, 25]))
  expect(new Set(onnxCases.map(({ inputs }) => inputs.Q.type))).toEqual(
    new Set(['float32', 'float16', 'bfloat16']),
  )
})

describe.each(namedPlatforms)('%s', (_, platform) => {
  test.each(onnxCases.map(c => [c.name, c] as const))('%s', (_name, c) => {
    const got = onnxAttention(c.inputs, c.attributes, {
      opset: c.opset,
      outputs: c.wanted,
      attention: platform.open(),
      // One case asks for softmax in double with float32 tensors.
      doubleSoftmax: 'float32',
    })
    expect(Object.keys(got)).toEqual(c.wanted)
    for (const name of c.wanted) {
      const [have, want] = [got[name]!, c.outputs[name]!]
      expect([have.type, have.dims]).toEqual([want.type, want.dims])
      expect(difference(name, have, want)).toBeUndefined()
    }
  })
})
