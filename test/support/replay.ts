/**
 * Imported by test files for its effect: a failing test prints the one line that runs it again.
 * @module
 */
import { beforeEach } from 'vitest'
import { SEED } from './random.ts'

interface Named {
  readonly name: string
  readonly suite?: Named
}

/** The name that `vitest -t` matches: of all the suites around the test, then its own. */
function fullName(task: Named): string {
  return task.suite ? `${fullName(task.suite)} ${task.name}` : task.name
}

/** As a pattern for `-t`, between single quotes of a shell. */
function asPattern(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll("'", '.')
}

beforeEach(context => {
  context.onTestFailed(({ task }) => {
    console.error(
      `replay: SELFSAME_SEED=${SEED} npx vitest run ${task.file.name} -t '${asPattern(fullName(task))}'`,
    )
  })
})
