/**
 * Which cores to measure on.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * Cores this process may use, best to measure on first: one hardware thread of each core before its
 * siblings, the last cores before the first, which the system itself likes best.
 */
export function coresToUse(): number[] {
  const cpus = allowed() ?? Array.from({ length: availableParallelism() }, (_, i) => i)
  const leads = (cpu: number): boolean => siblings(cpu).find(other => cpus.includes(other)) === cpu
  return [...cpus].reverse().sort((a, b) => Number(leads(b)) - Number(leads(a)))
}

/** Whether children can be kept on their cores. */
export function canPin(): boolean {
  return process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0
}

function allowed(): number[] | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status') ?? '')
  return list ? parseList(list[1]) : undefined
}

function siblings(cpu: number): number[] {
  const list = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`)
  return list ? parseList(list.trim()) : [cpu]
}

/** '0-3,8' as [0, 1, 2, 3, 8]. */
function parseList(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
