/**
 * Where and with what a run was measured.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { packageRoot } from './root.ts'

export interface Machine {
  cpu: string
  /** Vector instruction sets that matter here. */
  isa: string[]
  /** 'L1 48 KiB', 'L2 2 MiB', of one core or shared as they are. */
  caches: string[]
  /** Those this process may use. */
  cores: number
  pinned: boolean
  memory: string
  /** Only where the system says it. */
  governor?: string
  virtual?: boolean
  os: string
  node: string
  v8: string
  /** Of the contenders' packages. */
  versions: Record<string, string>
  /** With '+' where there were changes on top. */
  commit?: string
  date: string
}

const INTERESTING = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_tile',
  'asimd',
  'sve',
]

export function describeMachine(cores: number, pinned: boolean): Machine {
  const info = read('/proc/cpuinfo') ?? ''
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1].split(' '))
  const commit = git('rev-parse', '--short=12', 'HEAD')
  const governor = read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')?.trim()
  return {
    cpu: modelOf(info),
    isa: INTERESTING.filter(name => flags.has(name)),
    caches: caches(),
    cores,
    pinned,
    memory: size(totalmem()),
    ...(governor && { governor }),
    ...(flags.has('hypervisor') && { virtual: true }),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    versions: {},
    ...(commit && { commit: commit + (git('status', '--porcelain') ? '+' : '') }),
    date: new Date().toISOString(),
  }
}

/** Virtual machines often hide the name; family and model still tell it. */
function modelOf(info: string): string {
  const name = cpus()[0]?.model.trim() || 'unknown'
  const field = (key: string): string | undefined => new RegExp(`^${key}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1]
  const [family, model] = [field('cpu family'), field('model')]
  return family && model ? `${name} (family ${family}, model ${model})` : name
}

function caches(): string[] {
  const folder = '/sys/devices/system/cpu/cpu0/cache'
  let entries: string[]
  try {
    entries = readdirSync(folder).filter(name => name.startsWith('index'))
  } catch {
    return []
  }
  return entries.flatMap(entry => {
    const [level, type, bytes] = ['level', 'type', 'size'].map(file =>
      read(`${folder}/${entry}/${file}`)?.trim(),
    )
    if (!level || !bytes || type === 'Instruction') return []
    return `L${level} ${size(Number.parseInt(bytes, 10) * 1024)}`
  })
}

/** '48 KiB', '2 MiB', '24 GiB'. */
export function size(bytes: number): string {
  const step = bytes >= 2 ** 30 ? 3 : bytes >= 2 ** 20 ? 2 : 1
  const value = bytes / 2 ** (10 * step)
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${['B', 'KiB', 'MiB', 'GiB'][step]}`
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: packageRoot(), encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
