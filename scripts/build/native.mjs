/**
 * The addon, and that of the bench: native/ and binding.gyp by node-gyp to build/Release/*.node.
 * @module
 */
import { availableParallelism } from 'node:os'
import { writeWhole } from './files.mjs'
import { at, root, toolVersion } from './paths.mjs'
import { run } from './run.mjs'
import { Failed, Unavailable } from './step.mjs'
import { findToolchain, firstError } from './toolchain.mjs'

export const native = {
  name: 'native',
  inputs: [at('native'), at('binding.gyp'), import.meta.filename],
  words: [
    ...['node-gyp', 'node-addon-api'].map(toolVersion),
    ...[process.platform, process.arch, process.versions.node.split('.')[0]],
    ...['CXX', 'CC', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS'].map(name => process.env[name] ?? ''),
  ],
  outputs: ['selfsame', 'selfsame_probe'].map(name => at('build/Release', `${name}.node`)),
  run: buildAddon,
}

async function buildAddon() {
  const { env, nodedir } = await findToolchain()
  if (!nodedir) await fetchHeaders(env)
  // Not `rebuild`: it would empty build/, and the WASM files live there too.
  const headers = nodedir ? [`--nodedir=${nodedir}`] : []
  const { ok, text } = await nodeGyp(['configure', 'build', '-j', String(jobs()), ...headers], env)
  writeWhole(at('build/logs/native.log'), text)
  if (!ok) throw new Failed(firstError(text), text)
}

/** node-gyp as a program of this very Node: no shell, no npx, and so no network. */
export function nodeGyp(args, env, cwd = root) {
  return run(process.execPath, [at('node_modules/node-gyp/bin/node-gyp.js'), ...args], { cwd, env })
}

/** At least two, since one file per instruction set takes most of the time; a compiler takes up to half a gigabyte. */
const jobs = () => Math.min(8, Math.max(2, availableParallelism()))

async function fetchHeaders(env) {
  const { ok, text } = await nodeGyp(['install', '--ensure'], env)
  if (!ok) throw new Unavailable(`no headers beside this Node, and fetching them failed (${lastError(text)})`)
}

function lastError(text) {
  const lines = text.split('\n').filter(line => /ERR! stack/.test(line))
  return (lines[0] ?? firstError(text)).replace(/^.*ERR! stack\s*/, '')
}
