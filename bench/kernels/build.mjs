/**
 * Builds of the native kernels without Node, in build/kernels: as they are, with other tiles, or with the counter
 * of phases.
 * @module
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { filesBelow } from '../../scripts/build/files.mjs'
import { at } from '../../scripts/build/paths.mjs'
import { run } from '../../scripts/build/run.mjs'
import { firstError } from '../../scripts/build/toolchain.mjs'

const COMPILER = process.env.CXX || 'g++'
/** As binding.gyp compiles. */
const FLAGS = '-std=c++20 -O2 -ffp-contract=off -Wno-uninitialized -Wno-maybe-uninitialized'.split(' ')

/**
 * An executable of harness.cc.
 * @param {string} name
 * @param {{ isa?: string, tile?: Record<string, number>, defines?: string[] }} variant numbers that take the place of
 * those in the `Tile` of an instruction set, and names to define
 * @returns {Promise<string>} its path
 * @throws Error with the compiler's first error: not every tile fits into the registers
 */
export async function buildHarness(name, { isa, tile = {}, defines = [] }) {
  const folder = at(`build/kernels/${name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(at('native'), `${folder}/native`, { recursive: true })
  if (isa) retile(`${folder}/native/isa/kernels_${isa}.cc`, tile)
  const sources = filesBelow([`${folder}/native`]).filter(
    file => file.endsWith('.cc') && /\/(attention|isa|runtime)\//.test(file),
  )
  const program = `${folder}/harness`
  const { ok, text } = await run(COMPILER, [
    ...FLAGS,
    ...defines.map(define => `-D${define}`),
    `-I${folder}/native`,
    at('bench/kernels/harness.cc'),
    ...sources,
    '-pthread',
    '-o',
    program,
  ])
  if (!ok) throw new Error(firstError(text))
  return program
}

/** Writes other numbers for the constants of a Tile. */
function retile(file, tile) {
  let text = readFileSync(file, 'utf8')
  for (const [constant, value] of Object.entries(tile)) {
    const place = new RegExp(`\\b${constant} = \\d+`)
    if (!place.test(text)) throw new Error(`${file}: has no ${constant}`)
    text = text.replace(place, `${constant} = ${value}`)
  }
  writeFileSync(file, text)
}
