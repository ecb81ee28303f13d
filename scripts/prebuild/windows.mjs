/**
 * What an addon for Windows is linked against: the functions of Node-API, which the program that loads it exports.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mustZig } from './zig.mjs'

/** Makes `node.lib` in a folder from the names in Node's headers; returns its path. */
export async function makeImportLibrary(headers, folder) {
  const declared = ['js_native_api.h', 'node_api.h'].flatMap(name => {
    const text = readFileSync(`${headers}/${name}`, 'utf8')
    return [...text.matchAll(/\bNAPI_CDECL\s+(napi_\w+)\s*\(/g)].map(match => match[1])
  })
  const definition = `${folder}/node.def`
  const library = `${folder}/node.lib`
  writeFileSync(definition, `LIBRARY node.exe\nEXPORTS\n${[...new Set(declared)].join('\n')}\n`)
  await mustZig(['dlltool', '-m', 'i386:x86-64', '-D', 'node.exe', '-d', definition, '-l', library])
  return library
}
