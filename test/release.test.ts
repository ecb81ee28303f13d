/**
 * What a release would be, said by scripts/release.mjs, which is run as it is and changes nothing.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { version } from '../src/version.ts'
import { root } from './support/child.ts'
import './support/replay.ts'

const plan = (wish: string) =>
  spawnSync(process.execPath, [join(root, 'scripts/release.mjs'), wish, '--plan'], { encoding: 'utf8' })

const [major, minor, patch] = version.split('.').map(Number)
const wishes: [string, string][] = [
  ['major', `${major + 1}.0.0`],
  ['minor', `${major}.${minor + 1}.0`],
  ['patch', `${major}.${minor}.${patch + 1}`],
  [version, version],
  [`${major}.${minor + 7}.1`, `${major}.${minor + 7}.1`],
]
test.each(wishes)('%s is %s', (wish, next) => {
  const { status, stdout } = plan(wish)
  expect(status).toBe(0)
  expect(stdout.split('\n')[0]).toBe(next)
  expect(stdout).not.toMatch(/unreleased/)
})

test.each(['newest', '1.2', '0.0.0'])('%s is refused', wish => {
  const { status, stderr } = plan(wish)
  expect(status).toBe(1)
  expect(stderr).toContain(`${wish}`)
})
