/**
 * What the machine itself can do, measured between the contenders: lines are judged by it.
 * @module
 */
import type { Job, Measured } from '../job.ts'
import type { Limits, Line } from '../result.ts'
import type { Outcome } from '../run-child.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** From the first cache to main memory; the largest is beyond most caches. */
export const SIZES: readonly number[] = [16 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB, 256 * MiB]

const ISAS: Record<string, string[]> = { x64: ['avx512', 'avx2'], arm64: ['neon'] }

/** Runs one such job on each of `threads` cores at the same time. */
export type OnCores = (job: Job, threads: number) => Promise<Outcome<Measured>[]>

/** Adds what a round of probes finds. Of several rounds the highest counts, as a limit should. */
export async function probe(
  limits: Limits,
  threadCounts: readonly number[],
  milliseconds: number,
  onCores: OnCores,
): Promise<void> {
  const isas = ISAS[process.arch] ?? ['scalar']
  for (const threads of threadCounts) {
    for (const isa of isas) {
      const gflops = await total(limits, onCores({ kind: 'peak', isa, milliseconds }, threads))
      if (gflops === undefined) continue
      const known = limits.peaks.find(peak => peak.isa === isa && peak.threads === threads)
      if (known) known.gflops = Math.max(known.gflops, gflops)
      else limits.peaks.push({ isa, threads, gflops })
    }
    const isa = isas.find(name => limits.peaks.some(peak => peak.isa === name))
    if (!isa) continue
    for (const bytes of SIZES) {
      const gbps = await total(limits, onCores({ kind: 'bandwidth', isa, bytes, milliseconds }, threads))
      if (gbps === undefined) continue
      const known = limits.bandwidths.find(entry => entry.bytes === bytes && entry.threads === threads)
      if (known) known.gbps = Math.max(known.gbps, gbps)
      else limits.bandwidths.push({ bytes, threads, gbps })
    }
  }
}

async function total(limits: Limits, running: Promise<Outcome<Measured>[]>): Promise<number | undefined> {
  let sum = 0
  for (const { answer, failure } of await running) {
    if (!answer || 'reason' in answer) {
      limits.reason ??= answer && 'reason' in answer ? answer.reason : failure
      return undefined
    }
    sum += answer.value
  }
  return sum
}

export interface Limit {
  gflops: number
  /** Whether arithmetic or reading is what limits. */
  by: 'compute' | 'memory'
}

/** The fastest that a line could be: all multiplications at the peak, or all bytes read once from where they fit. */
export function limitOf(line: Line, limits: Limits): Limit | undefined {
  const { flops, bytes, threads } = line
  const peak = peakOf(line.contender, threads, limits)
  const gbps = bytes === undefined ? undefined : bandwidthAt(bytes, threads, limits)
  if (!peak || !gbps || !flops || !bytes) return undefined
  const byReading = (gbps * flops) / bytes
  return byReading < peak ? { gflops: byReading, by: 'memory' } : { gflops: peak, by: 'compute' }
}

/** Of the instruction set that a native backend is made for; the others may use the best there is. */
export function peakOf(contender: string, threads: number, limits: Limits): number | undefined {
  const peaks = limits.peaks.filter(peak => peak.threads === threads)
  const named = peaks.find(({ isa }) => contender === `native-${isa}`)
  return named?.gflops ?? (peaks.length > 0 ? Math.max(...peaks.map(({ gflops }) => gflops)) : undefined)
}

/** For so many bytes in all, shared out to the threads; between two measured sizes by their logarithm. */
export function bandwidthAt(bytes: number, threads: number, limits: Limits): number | undefined {
  const known = limits.bandwidths.filter(entry => entry.threads === threads).sort((a, b) => a.bytes - b.bytes)
  if (known.length === 0) return undefined
  const each = bytes / threads
  const above = known.findIndex(entry => entry.bytes >= each)
  if (above < 0) return known[known.length - 1].gbps
  if (above === 0) return known[0].gbps
  const [low, high] = [known[above - 1], known[above]]
  const part = Math.log(each / low.bytes) / Math.log(high.bytes / low.bytes)
  return low.gbps * (high.gbps / low.gbps) ** part
}
