/**
 * The measuring loops (native/probe): the most arithmetic and the most reading that a core does.
 * @module
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Measured } from '../job.ts'
import { packageRoot } from '../root.ts'

interface Probes {
  /** GFLOP/s of fused multiply-adds in registers. */
  peak(isa: string, milliseconds: number): number
  /** GB/s of reading the same so many bytes again and again. */
  bandwidth(isa: string, bytes: number, milliseconds: number): number
}

export function measurePeak(isa: string, milliseconds: number): Measured {
  return measure(probes => probes.peak(isa, milliseconds))
}

export function measureBandwidth(isa: string, bytes: number, milliseconds: number): Measured {
  return measure(probes => probes.bandwidth(isa, bytes, milliseconds))
}

function measure(probe: (probes: Probes) => number): Measured {
  try {
    return { value: probe(openProbes()) }
  } catch (error) {
    return { reason: (error as Error).message.split('\n')[0] }
  }
}

/** Own build first, then what the package was published with. */
function openProbes(): Probes {
  const { platform, arch } = process
  const root = packageRoot()
  const libcs = platform === 'linux' ? ['', '-musl'] : ['']
  const names = [
    'build/Release/selfsame_probe.node',
    ...libcs.map(libc => `prebuilds/${platform}-${arch}${libc}-probe.node`),
  ].filter(name => existsSync(join(root, name)))
  const require = createRequire(import.meta.url)
  let reason = 'the measuring loops are not built (npm run build)'
  for (const name of names) {
    try {
      return require(join(root, name)) as Probes
    } catch (error) {
      // Of another C library: the next may be of this one.
      reason = (error as Error).message
    }
  }
  throw new Error(reason)
}
