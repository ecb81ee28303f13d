/**
 * Who can be measured, by name: our own backends, the plain loops, and the peers as far as they are here.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as entry from '../src/index.ts'
import type { Contender } from './contender.ts'
import { type Entry, ownContender, ownNames } from './contenders/own.ts'
import { plainLoop } from './contenders/plain-loop.ts'
import { rnnScan } from './contenders/rnn-scan.ts'
import { packageRoot } from './root.ts'

/** Stands only beside the sweep over sequence lengths: its work is another. */
export const RNN: string = rnnScan.name

/** Files of bench/peers that are no contenders. */
const TOOLS: readonly string[] = ['install.mjs']

export function isOwn(name: string): boolean {
  return ownNames.includes(name)
}

export function peersFolder(): string {
  return join(packageRoot(), 'bench/peers')
}

/** Every module of the folder; in the published package, which has none, only the plain loop. */
export function peerNames(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : []
  const modules = files.filter(file => file.endsWith('.mjs') && !TOOLS.includes(file)).sort()
  return [...modules.map(file => file.slice(0, -'.mjs'.length)), plainLoop.name]
}

/** @throws where a peer's module does not load */
export async function openContender(name: string, peers: string): Promise<Contender> {
  const builtIn = ownContender(name, entry) ?? [plainLoop, rnnScan].find(contender => contender.name === name)
  if (builtIn) return builtIn
  const module = await import(pathToFileURL(join(peers, `${name}.mjs`)).href)
  return module.default
}

/** A backend of this package twice: of this build, and of another checkout, built too. */
export async function openBoth(name: string, old: string): Promise<[old: Contender, now: Contender]> {
  const other: Entry = await import(pathToFileURL(join(old, 'dist/index.js')).href)
  return [ownContender(name, other)!, ownContender(name, entry)!]
}
