/**
 * The README's table of options and backends is what running each option shows (node scripts/options-table.mjs --write).
 * @module
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { root } from './support/child.ts'
import { BACKENDS, optionsTable } from './support/options-table.ts'
import './support/replay.ts'

const [, block] =
  /<!-- options:start -->\n((?:.*\n)*)<!-- options:end -->/.exec(readFileSync(`${root}README.md`, 'utf8')) ??
  []

test('every option gives the right numbers on every backend, or is refused by name', () => {
  const table = optionsTable()
  expect(table.size).toBeGreaterThan(24)
  expect(table.get('scale')?.reference).toBe('yes')
  expect(table.get('threads')?.reference).toBe('no')
})

test.skipIf(block === undefined)('the README shows the table', () => {
  const shown = block
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.replaceAll('`', '').trim()),
    )
  expect(shown[0]).toEqual(['option', ...BACKENDS])
  const [names, rows] = [
    shown.slice(2).map(([name]) => name),
    new Map(shown.map(([name, ...cells]) => [name, cells])),
  ]
  const table = optionsTable()
  expect(names).toEqual([...table.keys()])
  // A machine checks the backends that it has.
  for (const [name, row] of table) {
    BACKENDS.forEach((backend, n) => {
      if (row[backend]) expect(rows.get(name)![n], `${name} on ${backend}`).toBe(row[backend])
    })
  }
})
