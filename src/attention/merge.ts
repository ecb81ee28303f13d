/**
 * The exact merge of attention over parts of the keys.
 * @module
 */
import { checkArray, checkNames, checkObject, checkOneOf, orDefault, wrongType, wrongValue } from './check.ts'
import { Storage } from './plan.ts'
import { newTensor, readTensor, type Source, sameDims } from './tensor.ts'
import type { Partial } from './types.ts'

const OPTION_NAMES: ReadonlySet<string> = new Set(['sinks'])

interface Part {
  readonly output: Source
  readonly lse: Source
}

/**
 * Merges parts computed by `attentionPartial` over disjoint keys into attention over all of them:
 * with M the greatest lse, output = sum(exp(lse_n - M) * output_n) / sum(exp(lse_n - M)) and
 * lse = M + ln(sum(exp(lse_n - M))) (the merge of FlashAttention-style partials, natural log).
 * Parts are summed in the order given. Empty parts (lse -Infinity) merge to empty.
 *
 * @example
 * const parts = [attentionPartial(q, cache), attentionPartial(q, kMore, vMore)]
 * const { output, lse } = mergePartials(parts)
 *
 * @param parts one or more, with outputs of the same dims and layout
 * @param options.sinks one logit per query head; it joins the denominator once and is not counted in lse
 * @throws TypeError or RangeError that names `parts[n]` or `sinks`
 */
export function mergePartials(
  parts: readonly Partial[],
  options?: { readonly sinks?: Float32Array },
): Partial {
  const read = readParts(parts)
  const layout = parts[0].layout
  const { heads, width, address } = rowsOf(read[0], layout)
  const sinks = readSinks(options, heads)
  const output = newTensor(read[0].output.dims, Storage.float32)
  const lse = newTensor(read[0].lse.dims, Storage.float32)
  const sum = new Float64Array(width)
  for (let row = 0; row < lse.data.length; row++) {
    const { head, start } = address(row)
    let most = Number.NEGATIVE_INFINITY
    for (const part of read) most = Math.max(most, part.lse.data[row])
    if (most === Number.NEGATIVE_INFINITY) {
      lse.data[row] = most
      continue
    }
    sum.fill(0)
    let total = 0
    for (const part of read) {
      if (part.lse.data[row] === Number.NEGATIVE_INFINITY) continue
      const weight = Math.exp(part.lse.data[row] - most)
      total += weight
      for (let c = 0; c < width; c++) sum[c] += weight * part.output.data[start + c]
    }
    const sink = sinks === undefined ? 0 : Math.exp(sinks[head] - most)
    for (let c = 0; c < width; c++) output.data[start + c] = sum[c] / (total + sink)
    lse.data[row] = most + Math.log(total)
  }
  return { output, lse, ...(layout && { layout }) }
}

function readParts(parts: unknown): Part[] {
  if (!Array.isArray(parts)) throw wrongType('parts', 'an array of { output, lse }', parts)
  if (parts.length === 0) throw wrongValue('parts', 'at least one part', parts)
  return parts.map((value, n) => {
    const name = `parts[${n}]`
    const part = checkObject(name, value, 'a part { output, lse }')
    const output = readTensor(`${name}.output`, part.output)
    checkLayout(`${name}.layout`, part.layout, output, (parts[0] as Partial).layout)
    const lse = readTensor(`${name}.lse`, part.lse)
    if (output.type !== Storage.float32) throw wrongType(`${name}.output`, 'float32', part.output)
    if (lse.type !== Storage.float32) throw wrongType(`${name}.lse`, 'float32', part.lse)
    const first = parts[0] as Partial
    if (!sameDims(output.dims, first.output.dims)) {
      throw wrongValue(`${name}.output.dims`, `[${first.output.dims.join(', ')}] as the first part has`, [
        ...output.dims,
      ])
    }
    if (!sameDims(lse.dims, first.lse.dims)) {
      throw wrongValue(`${name}.lse.dims`, `[${first.lse.dims.join(', ')}] as the first part has`, [
        ...lse.dims,
      ])
    }
    return { output, lse }
  })
}

/** An absent layout is the default one; the first part decides. */
function checkLayout(argument: string, value: unknown, { dims }: Source, first: Partial['layout']): void {
  const layout = checkOneOf(argument, orDefault(value, 'bhsd'), ['bhsd', 'bshd'] as const)
  if (value !== undefined && dims.length !== 4)
    throw wrongValue(argument, `no layout beside rank ${dims.length}`, layout)
  if (layout !== orDefault(first, 'bhsd'))
    throw wrongValue(argument, `'${orDefault(first, 'bhsd')}' as the first part has`, layout)
}

/** Where the output row lies whose lse stands at an index, and of which head it is. */
interface Rows {
  readonly heads: number
  readonly width: number
  address(row: number): { head: number; start: number }
}

function rowsOf({ output, lse }: Part, layout: 'bhsd' | 'bshd' | undefined): Rows {
  const ragged = lse.dims.length === 2
  const [batch, heads, queries] = ragged ? [1, lse.dims[1], lse.dims[0]] : lse.dims
  const rows = batch * heads * queries
  const width = rows === 0 ? 0 : output.data.length / rows
  const rank = output.dims.length
  const fits = expectedDims(rank, ragged, layout === 'bshd', batch, heads, queries, width)
  if (lse.dims.length > 3 || lse.dims.length < 2 || (rows > 0 && !sameDims(output.dims, fits))) {
    throw wrongValue('parts[0].lse.dims', `the rows of an output of dims [${output.dims.join(', ')}]`, [
      ...lse.dims,
    ])
  }
  const headsFirst = rank === 2 || (rank === 4 && layout !== 'bshd')
  return {
    heads,
    width,
    address(row) {
      if (ragged) return { head: row % heads, start: row * width }
      const head = Math.floor(row / queries) % heads
      if (headsFirst) return { head, start: row * width }
      const item = Math.floor(row / (heads * queries))
      return { head, start: ((item * queries + (row % queries)) * heads + head) * width }
    },
  }
}

function expectedDims(
  rank: number,
  ragged: boolean,
  bshd: boolean,
  batch: number,
  heads: number,
  queries: number,
  width: number,
): number[] {
  if (rank === 2) return [queries, width]
  if (ragged) return [queries, heads, width]
  if (rank === 3) return [batch, queries, heads * width]
  return bshd ? [batch, queries, heads, width] : [batch, heads, queries, width]
}

function readSinks(value: unknown, heads: number): Float32Array | undefined {
  if (value === undefined) return undefined
  const options = checkObject('options', value, 'an object { sinks? }')
  checkNames('options', options, OPTION_NAMES)
  return options.sinks === undefined
    ? undefined
    : checkArray('sinks', options.sinks, 'Float32Array', heads, 'query head')
}
