/**
 * CHANGELOG.md at a release: the section that was written as "unreleased" gets its version and date. Where nobody
 * wrote one, the subjects of the commits since the last release are its first draft.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { at } from '../build/paths.mjs'
import { run } from '../build/run.mjs'

const UNRELEASED = /^## (?:\S+ \()?unreleased\)?$/m

/** The text with a section of this version, and that section alone. */
export function releaseSection(text, version, date, subjects) {
  const heading = `## ${version} (${date})`
  const drafted = `${heading}\n\n${subjects.map(subject => `- ${subject}`).join('\n')}\n\n`
  const released = UNRELEASED.test(text)
    ? text.replace(UNRELEASED, heading)
    : text.replace(/^## /m, `${drafted}## `)
  const [, section] = released.split(new RegExp(`^${heading.replaceAll(/[.()]/g, '\\$&')}$`, 'm'))
  if (section === undefined) throw new Error('CHANGELOG.md has no section to put a release above')
  return { text: released, section: section.split(/^## /m)[0].trim() }
}

/** Reads the changelog and what git knows; `write` puts the new text in place. */
export async function changelogFor(version) {
  const file = at('CHANGELOG.md')
  const date = new Date().toISOString().slice(0, 10)
  const released = releaseSection(readFileSync(file, 'utf8'), version, date, await subjectsSinceRelease())
  return { section: released.section, write: () => writeFileSync(file, released.text) }
}

async function subjectsSinceRelease() {
  const { ok, stdout: tag } = await run('git', ['describe', '--tags', '--abbrev=0', '--match', 'v*'])
  const range = ok ? [`${tag.trim()}..HEAD`] : []
  const { stdout } = await run('git', ['log', '--no-merges', '--format=%s', ...range])
  return stdout.trim().split('\n').filter(Boolean)
}
