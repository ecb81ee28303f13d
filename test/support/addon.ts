/**
 * The addon itself, without the package around it; nothing to run where it is not built.
 * @module
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hasAddon, root } from './child.ts'

interface Addon {
  readonly isas: readonly { isa: string; supported: boolean }[]
  run(...call: unknown[]): void
  runAsync(...call: unknown[]): Promise<void>
  describe(...call: unknown[]): unknown
  prepare(...plan: unknown[]): (...tensors: unknown[]) => void
  preferLargePages(array: unknown): void
}

export const addon: Addon = hasAddon
  ? createRequire(import.meta.url)(join(root, 'build', 'Release', 'selfsame.node'))
  : { isas: [] }

/** Instruction sets that this CPU runs. */
export const isas: readonly string[] = addon.isas.filter(({ supported }) => supported).map(({ isa }) => isa)
