/**
 * A release: bumps, writes the changelog, builds, packs, and verifies the very tarball that is to be published.
 *
 *   node scripts/release.mjs minor             major, minor, patch or a version: all of it, a commit and a tag
 *   node scripts/release.mjs minor --plan      says what it would be, and changes nothing
 *   node scripts/release.mjs --verify          builds, packs and verifies the version that is there (what the workflow
 *                                              .github/workflows/release.yml does when the tag is pushed)
 *
 * The verified tarball is in build/release. Nothing is published from here.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { at, root } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { changelogFor } from './release/changelog.mjs'
import { currentVersion, nextVersion, writeVersion } from './release/version.mjs'

const OUT = at('build/release')

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { plan: { type: 'boolean' }, verify: { type: 'boolean' } },
  })
  if (values.verify) return verify(currentVersion())
  const version = nextVersion(currentVersion(), positionals[0])
  const changelog = await changelogFor(version)
  console.log(`${version}\n\n${changelog.section}\n`)
  if (values.plan) return
  if (changelog.section === '') throw new Error(`CHANGELOG.md: nothing is said about ${version}`)
  await mustBeClean()
  changelog.write()
  await writeVersion(version)
  verify(version)
  must('git', ['commit', '--all', '--message', `Release ${version}`])
  must('git', ['tag', '--annotate', `v${version}`, '--message', changelog.section])
  console.log(`v${version} is committed and tagged here: push both, and the workflow publishes.`)
}

/** Everything from scratch, and every test of the package on the tarball, with all binaries in it. */
function verify(version) {
  rmSync(at('prebuilds'), { recursive: true, force: true })
  rmSync(OUT, { recursive: true, force: true })
  const env = { ...process.env, SELFSAME_BUILD: 'strict', SELFSAME_TEST_PREBUILDS: 'all' }
  for (const script of ['build', 'prebuild', 'budgets', 'test-runtimes']) {
    must(process.execPath, [at('scripts', `${script}.mjs`)], env)
  }
  mkdirSync(OUT, { recursive: true })
  const name = `selfsame-${version}.tgz`
  if (!readdirSync(at('build/runtimes')).includes(name)) throw new Error(`the tests packed no ${name}`)
  cpSync(at('build/runtimes', name), `${OUT}/${name}`)
  console.log(`verified: build/release/${name}`)
}

async function mustBeClean() {
  const { stdout } = await run('git', ['status', '--porcelain'])
  if (stdout.trim() !== '') throw new Error(`the tree has changes that are not committed:\n${stdout}`)
}

function must(program, args, env = process.env) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env })
  if (status !== 0) throw new Error(`${args.join(' ')} failed`)
}

main().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})
