/**
 * The evidence behind the native kernels, for ARCHITECTURE.md: what each phase of a task takes, and what other tiles
 * than the chosen ones would take. Everything runs on one core, variants by turns, the least of all turns counts.
 *
 *   node bench/kernels.mjs phases [--isa avx2]
 *   node bench/kernels.mjs tiles [--isa avx2]
 *
 * Prints Markdown. Needs g++ (or CXX) and, to stay on one core, taskset.
 * @module
 */
import { parseArgs } from 'node:util'
import { at } from '../scripts/build/paths.mjs'
import { run } from '../scripts/build/run.mjs'
import { firstInPath } from '../scripts/build/toolchain.mjs'
import { buildHarness } from './kernels/build.mjs'
import { SHAPES } from './kernels/shapes.mjs'

const TURNS = 5
const MILLISECONDS = 300
const PHASES = ['queries turned', 'scores and exp', 'softmax in memory', 'products', 'outputs stored']

/** Constants of a Tile that take the place of the package's. */
const TILES = {
  avx512: [
    { kKeys: 4, kChannels: 4, kQueryVectors: 4 },
    { kKeys: 4, kChannels: 4, kQueryVectors: 5 },
    { kKeys: 8, kChannels: 4 },
    { kBlock: 128 },
    { kBlock: 512 },
  ],
  avx2: [
    { kKeys: 4, kChannels: 4, kQueryVectors: 2 },
    { kKeys: 2, kChannels: 2, kQueryVectors: 4 },
    { kKeys: 4, kChannels: 2 },
    { kBlock: 128 },
    { kBlock: 512 },
  ],
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { isa: { type: 'string', default: 'avx512' } },
})
const { isa } = values
const tables = { phases, tiles }
const table = tables[positionals[0]]
if (!table || !TILES[isa]) {
  console.error(`usage: node bench/kernels.mjs phases|tiles [--isa ${Object.keys(TILES).join('|')}]`)
  process.exit(2)
}
process.chdir(at('.'))
await table()

async function phases() {
  const program = await buildHarness('phases', { defines: ['SELFSAME_PHASES'] })
  row(['shape', 'ms', ...PHASES])
  row(['---', ...Array(PHASES.length + 1).fill('---:')])
  for (const shape of Object.keys(SHAPES)) {
    const [{ ms, phases }] = await best([program], shape)
    const sum = phases.reduce((all, part) => all + part, 0)
    row([shape, ms.toFixed(3), ...phases.map(part => `${((part / sum) * 100).toFixed(1)} %`)])
  }
}

async function tiles() {
  const programs = [await buildHarness('tiles', {})]
  const names = ['as it is']
  for (const [at, tile] of TILES[isa].entries()) {
    programs.push(await buildHarness(`tiles-${at}`, { isa, tile }))
    names.push(JSON.stringify(tile).replace(/["{}]/g, '').replaceAll(',', ', '))
  }
  row(['shape', ...names])
  row(['---', ...names.map(() => '---:')])
  for (const shape of Object.keys(SHAPES)) {
    const [first, ...others] = await best(programs, shape)
    row([shape, `${first.ms.toFixed(3)} ms`, ...others.map(({ ms }) => (first.ms / ms).toFixed(3))])
  }
}

/** The fastest run of each program, all taking turns. */
async function best(programs, shape) {
  const least = programs.map(() => ({ ms: Number.POSITIVE_INFINITY, phases: [] }))
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [at, program] of programs.entries()) {
      const found = await measure(program, shape)
      if (found.ms < least[at].ms) least[at] = found
    }
  }
  return least
}

async function measure(program, shape) {
  const args = [isa, ...SHAPES[shape], MILLISECONDS].map(String)
  const pinned = firstInPath(['taskset']) ? ['taskset', '-c', '0', program] : [program]
  const { ok, stdout } = await run(pinned[0], [...pinned.slice(1), ...args])
  if (!ok) throw new Error(`${shape}: this CPU does not run ${isa}`)
  return JSON.parse(stdout)
}

function row(cells) {
  console.log(`| ${cells.join(' | ')} |`)
}
