/**
 * The binaries that the package is published with: the addon for every platform, cross-compiled by zig.
 *
 *   node scripts/prebuild.mjs                       all of them
 *   node scripts/prebuild.mjs linux-x64 darwin-arm64
 *   node scripts/prebuild.mjs --host                the one of this machine
 *   node scripts/prebuild.mjs --stale ...           only what is missing or older than its sources
 *
 * Each is looked at when it is done (format, machine, entry, glibc). Which of them are also run is said by
 * test/runtimes/prebuilds.test.ts. The first build of a target takes zig a minute more: it compiles its C++ library.
 * @module
 */
import { at } from './build/paths.mjs'
import { isFresh, runStep } from './build/step.mjs'
import { compile } from './prebuild/compile.mjs'
import { inspect, problemsOf } from './prebuild/inspect.mjs'
import { targetsOf } from './prebuild/targets.mjs'
import { installZig, ZIG } from './prebuild/zig.mjs'

const onlyStale = process.argv.includes('--stale')
const args = process.argv.slice(2).filter(word => word !== '--stale')
const names = args.flatMap(name => (name === '--host' ? [`${process.platform}-${process.arch}`] : [name]))

async function main() {
  const targets = targetsOf(names)
  const steps = targets.map(target => ({ target, step: stepOf(target) }))
  if (onlyStale && steps.every(({ step }) => isFresh(step))) return
  await installZig()
  for (const { target, step } of steps) {
    if (onlyStale && isFresh(step)) continue
    const seconds = (await runStep(step)).toFixed(1)
    const [file] = step.outputs
    const { format, bytes, glibc } = inspect(file)
    const problems = problemsOf(file, target)
    const needs = glibc ? `, glibc ${glibc}` : ''
    console.log(
      `${target.name.padEnd(17)} ${format.padEnd(6)} ${(bytes / 1024).toFixed(0).padStart(4)} KB in ${seconds} s${needs}`,
    )
    for (const problem of problems) console.error(`${target.name}: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  }
}

const stepOf = target => ({
  name: `prebuild-${target.name}`,
  inputs: ['native', 'binding.gyp', 'scripts/prebuild'].map(path => at(path)),
  words: [ZIG],
  outputs: [at('prebuilds', `${target.name}.node`)],
  run: () => compile(target),
})

main().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})
