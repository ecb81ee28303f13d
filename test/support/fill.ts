/**
 * The numbers in the tensors of a case.
 * @module
 */
import type { Case } from './cases.ts'
import type { Random } from './random.ts'

export function fillNormal(source: Random, length: number): Float32Array {
  const data = new Float32Array(length)
  for (let i = 0; i < length; i++) data[i] = source.normal()
  return data
}

/** What decides how numbers bend. */
type Bent = Pick<Case, 'form' | 'kvHeads' | 'keys' | 'headDim' | 'numbers'>

/** Bends q and k, so that scores are large, or rise or fall along the keys by far more than one rescale takes. */
export function bendScores(c: Bent, q: Float32Array, k: Float32Array): void {
  if (c.numbers === 'normal') return
  if (c.numbers === 'large') {
    for (let i = 0; i < q.length; i++) q[i] *= 8
    return
  }
  // One shared direction: q points along it, keys reach further and further (or less and less) into it.
  const reach = 60 / Math.sqrt(c.headDim)
  for (let i = 0; i < q.length; i++) q[i] = 1 + q[i] / 8
  for (let i = 0; i < k.length; i++) {
    const j = keyOf(c, i) / Math.max(c.keys - 1, 1)
    k[i] = k[i] / 8 + reach * (c.numbers === 'rising' ? j : 1 - j)
  }
}

function keyOf(c: Bent, at: number): number {
  const row = Math.floor(at / c.headDim)
  if (c.form === 'bhsd' || c.form === 'rank2') return row % c.keys
  return Math.floor(row / c.kvHeads) % c.keys
}
