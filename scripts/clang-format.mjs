/**
 * Formats the C++ of native/ and test/native/ by .clang-format.
 *
 *   node scripts/clang-format.mjs --check | --write
 *
 * Without clang-format it says so and is content; with CI=strict that is an error.
 * @module
 */
import { filesBelow } from './build/files.mjs'
import { at } from './build/paths.mjs'
import { run } from './build/run.mjs'
import { firstInPath } from './build/toolchain.mjs'

const modes = { '--check': ['--dry-run', '--Werror'], '--write': ['-i'] }
const mode = modes[process.argv[2]]
const sources = filesBelow([at('native'), at('test/native')]).filter(file => /\.(cc|h)$/.test(file))

if (!mode || process.argv.length > 3) {
  console.error('usage: node scripts/clang-format.mjs --check | --write')
  process.exitCode = 2
} else if (!firstInPath(['clang-format', 'clang-format.exe'])) {
  console.log('clang-format is not installed: native/ is left as it is')
  process.exitCode = process.env.CI === 'strict' ? 1 : 0
} else {
  const { ok, text } = await run('clang-format', [...mode, ...sources])
  console.log(
    `${text}clang-format: ${sources.length} files ${ok ? 'in order' : 'with the differences above'}`,
  )
  process.exitCode = ok ? 0 : 1
}
