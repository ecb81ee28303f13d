/**
 * The next version, and the places that name it.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'

const PARTS = ['major', 'minor', 'patch']

export const currentVersion = () => JSON.parse(readFileSync(at('package.json'), 'utf8')).version

/**
 * @param wish 'major', 'minor', 'patch', or a version of three numbers that is not older than the current one
 * @throws Error that names what was expected
 */
export function nextVersion(current, wish) {
  const numbers = current.split('.').map(Number)
  const part = PARTS.indexOf(wish)
  if (part >= 0) return numbers.map((n, i) => (i < part ? n : i === part ? n + 1 : 0)).join('.')
  if (!/^\d+\.\d+\.\d+$/.test(wish ?? ''))
    throw new Error(`version: expected major, minor, patch or three numbers, got '${wish}'`)
  const wished = wish.split('.').map(Number)
  const differing = wished.findIndex((n, i) => n !== numbers[i])
  // The same version is allowed: the first release is of a version that stands in package.json already.
  if (differing >= 0 && wished[differing] < numbers[differing])
    throw new Error(`version: ${wish} is older than ${current}`)
  return wish
}

/** Writes it into package.json, package-lock.json and src/version.ts. */
export async function writeVersion(version) {
  const bump = ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts']
  const { ok, text } = await run('npm', bump)
  if (!ok) throw new Error(`npm version failed:\n${text}`)
  const file = at('src/version.ts')
  const source = readFileSync(file, 'utf8')
  writeFileSync(file, source.replace(/version = '[^']*'/, `version = '${version}'`))
}
