/**
 * What a finished binary is, read from its own bytes, so that a platform that cannot be run here is at least looked at.
 * @module
 */
import { readFileSync } from 'node:fs'
import { OLDEST_GLIBC } from './targets.mjs'

const ENTRY = 'napi_register_module_v1'
const ELF_MACHINES = { 62: 'x64', 183: 'arm64' }
const MACHO_MACHINES = { 16777223: 'x64', 16777228: 'arm64' }
const PE_MACHINES = { 34404: 'x64', 43620: 'arm64' }

/** `{ format, machine, bytes, glibc }`, the last being the newest version of glibc that it asks for, if any. */
export function inspect(file) {
  const bytes = readFileSync(file)
  return { ...kindOf(bytes), bytes: bytes.length, glibc: newestGlibc(bytes) }
}

/** What is wrong with a binary, as a list of sentences. */
export function problemsOf(file, target) {
  const { format, machine, glibc } = inspect(file)
  const problems = []
  if (format !== target.format || machine !== target.machine)
    problems.push(`it is ${format} for ${machine}, not ${target.format} for ${target.machine}`)
  if (!readFileSync(file).includes(`${ENTRY}\0`)) problems.push(`it does not export ${ENTRY}`)
  if (glibc && compareVersions(glibc, OLDEST_GLIBC) > 0)
    problems.push(`it needs glibc ${glibc}, newer than ${OLDEST_GLIBC}`)
  return problems
}

function kindOf(bytes) {
  if (bytes.readUInt32BE(0) === 0x7f454c46) {
    return { format: 'ELF', machine: ELF_MACHINES[bytes.readUInt16LE(18)] ?? 'another machine' }
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf) {
    return { format: 'Mach-O', machine: MACHO_MACHINES[bytes.readUInt32LE(4)] ?? 'another machine' }
  }
  if (bytes.readUInt16LE(0) === 0x5a4d) {
    const header = bytes.readUInt32LE(0x3c)
    return { format: 'PE', machine: PE_MACHINES[bytes.readUInt16LE(header + 4)] ?? 'another machine' }
  }
  return { format: 'no binary', machine: 'no machine' }
}

function newestGlibc(bytes) {
  const named = bytes.toString('latin1').matchAll(/\0GLIBC_(\d+(?:\.\d+)+)(?=\0)/g)
  return [...new Set([...named].map(match => match[1]))].sort(compareVersions).at(-1)
}

export function compareVersions(a, b) {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
