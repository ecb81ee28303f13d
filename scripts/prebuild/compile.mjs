/**
 * The addon for one target: every source by zig's clang with the flags of binding.gyp, then one link.
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, dirname } from 'node:path'
import { at } from '../build/paths.mjs'
import { findHeaders } from '../build/toolchain.mjs'
import { readRecipe } from './recipe.mjs'
import { makeImportLibrary } from './windows.mjs'
import { mustZig } from './zig.mjs'

/** zig adds checks of undefined behaviour of its own, and symbols of the system's linker are not asked for. */
const COMMON = ['-fno-sanitize=undefined', '-fPIC', '-g0', '-Wno-unused-command-line-argument']

/** Compiles and links `prebuilds/<name>.node`. */
export async function compile({ name, zig, format }) {
  const headers = headersOfNode()
  const objects = at('build/prebuild', name)
  const output = at('prebuilds', `${name}.node`)
  rmSync(objects, { recursive: true, force: true })
  for (const folder of [objects, dirname(output)]) mkdirSync(folder, { recursive: true })
  const target = ['-target', zig]
  const include = [headers, addonApi(), at('native')].map(folder => `-I${folder}`)
  const built = await inParallel(sources(), async ({ source, flags }) => {
    const object = `${objects}/${basename(source, '.cc')}.o`
    await mustZig(['c++', ...target, ...flags, ...COMMON, ...include, '-c', at(source), '-o', object])
    return object
  })
  // Linked beside the objects: for Windows the linker leaves a library of its own with it.
  const linked = `${objects}/${name}.node`
  const system = await linkFlags(format, headers, objects)
  await mustZig(['c++', ...target, '-shared', '-s', ...system, ...built, '-o', linked])
  copyFileSync(linked, output)
}

/** Those of binding.gyp, and what keeps the linked-in C++ library small. */
function sources() {
  const recipe = readRecipe()
  return [...recipe, { source: 'scripts/prebuild/demangle.cc', flags: recipe[0].flags }]
}

/** Names of Node-API are left open: the program that loads the addon has them. */
async function linkFlags(format, headers, folder) {
  if (format === 'PE') return [await makeImportLibrary(headers, folder)]
  if (format === 'Mach-O') return ['-undefined', 'dynamic_lookup', '-Wl,-dead_strip']
  return ['-Wl,--gc-sections']
}

function headersOfNode() {
  const prefix = findHeaders()
  const folder = ['include/node', 'src']
    .map(sub => `${prefix}/${sub}`)
    .find(path => existsSync(`${path}/node_api.h`))
  if (!prefix || !folder)
    throw new Error('no headers beside this Node: set npm_config_nodedir to a prefix with include/node')
  return folder
}

const addonApi = () => dirname(createRequire(at('package.json')).resolve('node-addon-api'))

/** Results in order; two at a time at least, since one file per instruction set takes most of the time. */
async function inParallel(items, work) {
  const results = new Array(items.length)
  const left = items.keys()
  const take = async () => {
    for (const i of left) results[i] = await work(items[i])
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, take))
  return results
}
