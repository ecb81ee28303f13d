/**
 * The tarball, installed into empty projects by every package manager as it comes, with its own idea of which
 * scripts may run: there are none to run, so import works in each, and native is taken.
 * @module
 */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { distantFolder, must, setting } from './support/setting.ts'

const { nodes, project, tarball, tools } = setting

interface Manager {
  name: string
  /** The command that adds the tarball. */
  add: string[]
  /** The command that starts a program in the project; by default Node. */
  start?: string[]
  /** The command that starts a program of a package. */
  exec: string[]
  files?: Record<string, string>
}

const npm11 = [nodes.own, tools.npm11]
const npm12 = [nodes['24'], tools.npm12]
const yarn = [nodes.own, tools.yarn]
const quiet = ['--no-audit', '--no-fund']

const MANAGERS: Manager[] = [
  {
    name: 'npm 11',
    add: [...npm11, 'install', ...quiet, tarball],
    exec: [...npm11, 'exec', '--offline', '--'],
  },
  {
    name: 'npm 12',
    add: [...npm12, 'install', ...quiet, tarball],
    exec: [...npm12, 'exec', '--offline', '--'],
  },
  { name: 'pnpm', add: [tools.pnpm, 'add', tarball], exec: [tools.pnpm, 'exec'] },
  {
    name: "Yarn 4, Plug'n'Play",
    add: [...yarn, 'add', `selfsame@file:${tarball}`],
    start: [...yarn, 'node'],
    exec: [...yarn, 'run'],
    files: { 'yarn.lock': '' },
  },
  {
    name: 'Yarn 4, node_modules',
    add: [...yarn, 'add', `selfsame@file:${tarball}`],
    exec: [...yarn, 'run'],
    files: { 'yarn.lock': '', '.yarnrc.yml': 'nodeLinker: node-modules\n' },
  },
  {
    name: 'Bun',
    add: [tools.bun, 'add', tarball],
    start: [tools.bun],
    exec: [tools.bun, 'x', '--no-install'],
  },
]

// A lock file that an empty project does not have yet is no error, even where CI is set.
const env = { YARN_ENABLE_TELEMETRY: '0', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', CI: undefined }

test.each(MANAGERS.map(manager => [manager.name, manager] as const))(
  '%s',
  async (_, { add, start = [nodes.own], exec, files = {} }) => {
    const folder = distantFolder()
    const manifest = '{ "name": "empty", "version": "1.0.0", "private": true }\n'
    for (const [name, text] of Object.entries({ 'package.json': manifest, ...files })) {
      writeFileSync(join(folder, name), text)
    }
    cpSync(join(project, 'versus.mjs'), join(folder, 'versus.mjs'))
    const here = { cwd: folder, env }
    await must(add[0], add.slice(1), here)
    const said = JSON.parse(await must(start[0], [...start.slice(1), 'versus.mjs'], here))
    expect(said.why).toBe('picked')
    expect(said.backend).toBe('native')
    expect(said.furthest).toBeLessThan(1e-5)
    expect(await must(exec[0], [...exec.slice(1), 'selfsame', 'doctor'], here)).toMatch(/native +serves/)
  },
)
