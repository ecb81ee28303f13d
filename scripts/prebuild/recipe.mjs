/**
 * What binding.gyp says about the addon: one list of sources and flags for both ways to build it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { at } from '../build/paths.mjs'

/** Each source with the flags it is compiled with, and the flags of the linker. */
export function readRecipe() {
  // JSON but for its comments, which stand on lines of their own.
  const text = readFileSync(at('binding.gyp'), 'utf8').replaceAll(/^\s*#.*$/gm, '')
  const { target_defaults: shared, targets } = JSON.parse(text)
  const named = name => targets.find(target => target.target_name === name)
  const addon = named('selfsame')
  const parts = [addon, ...addon.dependencies.map(named)]
  const flags = [...shared.defines.map(define => `-D${define}`), ...shared.cflags_cc]
  return parts.flatMap(({ sources, cflags_cc = [], 'cflags_cc!': without = [] }) => {
    const own = [...flags.filter(flag => !without.includes(flag)), ...cflags_cc]
    return sources.map(source => ({ source, flags: own }))
  })
}
