/**
 * Runs `npm run demo` as people do, in colours and into a pipe without, and looks at what comes out.
 *
 *   node scripts/check-demo.mjs [folder] [backend it must pick]
 *
 * What is right about the numbers, the demo checks itself, by its exit code.
 * @module
 */
import { stripVTControlCharacters } from 'node:util'
import { root } from './build/paths.mjs'
import { run } from './build/run.mjs'

const [folder = root, backend = ''] = process.argv.slice(2)
const WIDEST = 80

const runs = {
  'in colours': { FORCE_COLOR: '3' },
  'without colours': { NO_COLOR: '1' },
}

for (const [name, colours] of Object.entries(runs)) {
  const { FORCE_COLOR, NO_COLOR, ...plain } = process.env
  const { ok, text, stdout } = await run('npm', ['run', 'demo'], {
    cwd: folder,
    env: { ...plain, ...colours },
  })
  console.log(text)
  const problems = problemsOf(stdout, colours)
  if (!ok) problems.unshift('it failed')
  console.log(`demo ${name}: ${problems.length === 0 ? 'fine' : problems.join('; ')}`)
  if (problems.length > 0) process.exitCode = 1
}

function problemsOf(stdout, { FORCE_COLOR }) {
  const problems = []
  const coloured = stdout !== stripVTControlCharacters(stdout)
  if (coloured !== Boolean(FORCE_COLOR)) problems.push(coloured ? 'it has colours' : 'it has no colours')
  const lines = stripVTControlCharacters(stdout).split('\n')
  // npm's own lines start with >, the build's with the name of a step.
  const tooWide = lines.filter(line => line.length > WIDEST && !/^(>|native|wasm|ts|build) /.test(line))
  if (tooWide.length > 0) problems.push(`wider than ${WIDEST} columns: ${tooWide[0]}`)
  const picked = /^selfsame \S+ on (\S+)/m.exec(lines.join('\n'))?.[1]
  if (!picked) problems.push('it does not say which backend it picked')
  else if (!picked.startsWith(backend)) problems.push(`it picked ${picked}, not ${backend}`)
  return problems
}
