/**
 * What a finished binary is, read from its own bytes, so that a platform that cannot be run here is at least looked at.
 * @module
 */
import { readFileSync } from 'node:fs'
import { OLDEST_GLIBC } from './targets.mjs'

const ENTRY = 'napi_register_module_v1'
const CODE_SIGNATURE = 0x1d
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
  // An arm64 Mac loads nothing that is not signed, if only by its linker.
  if (format === 'Mach-O' && machine === 'arm64' && !hasLoadCommand(readFileSync(file), CODE_SIGNATURE))
    problems.push('it is not signed')
  // On Windows each name comes from a module that is named with it.
  if (format === 'PE' && !readFileSync(file).includes('node.exe\0'))
    problems.push('it does not bind to node.exe')
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

/** Whether a 64-bit Mach-O file has a load command of this kind. */
function hasLoadCommand(bytes, kind) {
  const count = bytes.readUInt32LE(16)
  for (let i = 0, at = 32; i < count; i++, at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) === kind) return true
  }
  return false
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
