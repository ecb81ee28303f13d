/**
 * The bench stands outside of the package: nothing in src knows it, it reaches into src at few places, and
 * the peers know neither.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './support/child.ts'
import './support/replay.ts'

/** What the bench takes from the package: its entry, and a few things that no entry has. */
const OF_SRC = [
  'src/backends/wasm-probe.ts',
  'src/cli/terminal.ts',
  'src/explain/palette.ts',
  'src/index.ts',
  'src/numeric/half.ts',
]

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(root.length))
    .filter(file => file.endsWith(ending) && !file.includes('node_modules'))
}

/** Files by their path from the root, packages by their name; also what is imported for its types or later. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s[^'";]*?from\s+'([^']+)'|\bimport\('([^']+)'\)(?![.}])/gm)
  return [...found].map(([, whole, later]) => {
    const name = whole ?? later
    return name.startsWith('.') ? normalize(join(dirname(file), name)) : name
  })
}

const bench = filesBelow('bench', '.ts')
const importsOfAll = (files: readonly string[]): string[] => [...new Set(files.flatMap(importsOf))].sort()

test('nothing in src imports the bench', () => {
  expect(importsOfAll(filesBelow('src', '.ts')).filter(name => name.startsWith('bench/'))).toEqual([])
})

test('the bench takes little from src', () => {
  expect(importsOfAll(bench).filter(name => name.startsWith('src/'))).toEqual(OF_SRC)
})

test('the peers import each other, their packages and Node, nothing of ours', () => {
  const peers = filesBelow('bench/peers', '.mjs')
  const ours = importsOfAll(peers).filter(name => /^(src|bench|dist)\//.test(name))
  expect(ours.length).toBeGreaterThan(5)
  expect(ours.filter(name => !name.startsWith('bench/peers/'))).toEqual([])
})

test('imports in the bench have no cycles', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (path.includes(file) || done.has(file)) return
    for (const name of importsOf(file)) if (bench.includes(name)) visit(name, [...path, file])
    done.add(file)
  }
  for (const file of bench) visit(file, [])
  expect(cycles).toEqual([])
})
