/**
 * What PyTorch computed, as test/oracle/torch_pack.py wrote it down.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { OracleTensor } from '../oracle/types.ts'

export interface Packed {
  readonly dims: number[]
  readonly type: 'float32' | 'float64' | 'float16' | 'bfloat16' | 'bool'
  readonly base64: string
}

export interface Recording<Case> {
  readonly made: Record<string, string>
  readonly cases: Case[]
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  bool: Uint8Array,
}

export function unpack({ dims, type, base64 }: Packed): OracleTensor & { data: Float32Array } {
  const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'))
  const half = type === 'float16' || type === 'bfloat16'
  return { data: new ARRAYS[type](buffer) as Float32Array, dims, ...(half && { type }) }
}

/** Numbers that JSON has no arrays for: { int32: [...] } is an Int32Array. */
const revive = (_: string, value: { int32?: number[] }): unknown =>
  value && typeof value === 'object' && value.int32 ? Int32Array.from(value.int32) : value

export function readRecording<Case>(name: string): Recording<Case> {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/torch/${name}.json`, import.meta.url), 'utf8'),
    revive as never,
  )
}
