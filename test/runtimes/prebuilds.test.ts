/**
 * The binaries of the package. Every one is inspected; linux-x64 is run by all other tests, linux-arm64 here under
 * an emulator, win32-x64 by Node for Windows in wine, linux-x64-musl by musl's own loader (its kernels in a program, as
 * there is no Node for musl to be had). Those for macOS, and arm64 on musl, are looked at and not run.
 *
 * `npm run prebuild` makes all of them; CI makes the one of its own machine, and the others show as skipped there.
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { distantFolder, must, root, setting, work } from './support/setting.ts'

const { installed, nodes, prebuilds, project, tools } = setting
/** The C++ library is part of each: 50 KB of it on Linux, 110 on Windows. */
const MOST_BYTES = 600 * 1024

const fileOf = (name: string): string => join(installed, 'prebuilds', `${name}.node`)
const isThere = (name: string): boolean =>
  prebuilds.some(prebuild => prebuild.name === name && prebuild.bytes)
const ALL = process.env.SELFSAME_TEST_PREBUILDS === 'all'

test('the one of this machine is in the tarball', () => {
  expect(setting.files).toContain(`prebuilds/${process.platform}-${process.arch}.node`)
})

test('nothing else is beside it', () => {
  const packed = setting.files.filter(file => file.startsWith('prebuilds/'))
  const known = prebuilds.map(({ name }) => `prebuilds/${name}.node`)
  expect(packed.filter(file => !known.includes(file))).toEqual([])
})

test.runIf(ALL)('all are in the tarball', () => {
  expect(prebuilds.filter(({ bytes }) => !bytes).map(({ name }) => name)).toEqual([])
})

describe('inspected', () => {
  for (const { name, bytes, problems } of prebuilds) {
    test.skipIf(!bytes)(name, () => {
      expect(problems).toEqual([])
      expect(bytes).toBeLessThan(MOST_BYTES)
    })
  }
})

describe('run', () => {
  test.skipIf(!nodes.arm64)('linux-arm64, by Node 22 under qemu', { timeout: 300_000 }, async () => {
    const program = join(project, 'versus.mjs')
    const text = await must(tools['qemu-aarch64'], ['-L', '/usr/aarch64-linux-gnu', nodes.arm64!, program], {
      timeout: 280_000,
    })
    isRight(text, 'neon')
  })

  test.skipIf(!nodes.windows)('win32-x64, by Node 20 for Windows in wine', { timeout: 300_000 }, async () => {
    const env = { WINEPREFIX: join(work, 'wine'), WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' }
    // Into files: in wine Node does not open pipes.
    const command = `'${tools.wine}' '${nodes.windows}' versus.mjs > windows.json 2> windows.log`
    await must('sh', ['-c', command], { cwd: project, env, timeout: 280_000 })
    isRight(readFileSync(join(project, 'windows.json'), 'utf8'))
  })

  test.skipIf(!isThere('linux-x64-musl'))('linux-x64-musl, loaded by musl', async () => {
    const folder = distantFolder()
    const host = join(folder, 'host')
    writeFileSync(`${host}.c`, await hostOf(fileOf('linux-x64-musl')))
    await must(tools['musl-gcc'], ['-rdynamic', '-o', host, `${host}.c`])
    expect(await must(host, [fileOf('linux-x64-musl')])).toBe('loaded\n')
  })

  const objects = join(root, 'build/prebuild/linux-x64-musl')
  test.skipIf(!existsSync(objects))(
    'linux-x64-musl, its kernels and threads',
    { timeout: 300_000 },
    async () => {
      const program = join(distantFolder(), 'callers')
      // All but what speaks to Node.
      const binding = ['addon', 'async_run', 'demangle', 'prepared', 'unpack'].map(name => `${name}.o`)
      const own = readdirSync(objects).filter(name => name.endsWith('.o') && !binding.includes(name))
      const compiler = ['-m', 'ziglang', 'c++', '-target', 'x86_64-linux-musl', '-std=c++20', '-O1']
      const source = join(root, 'test/native/callers.cc')
      await must(
        join(root, 'build/zig/bin/python'),
        [...compiler, source, ...own.map(name => join(objects, name)), '-o', program],
        {
          timeout: 250_000,
        },
      )
      await must(program, [])
    },
  )
})

function isRight(text: string, isaWanted?: string): void {
  const { backend, isa, furthest } = JSON.parse(text)
  expect(backend).toBe('native')
  if (isaWanted) expect(isa).toBe(isaWanted)
  expect(furthest).toBeLessThan(1e-5)
}

/** A program that exports what the addon asks of Node, and opens it. */
async function hostOf(addon: string): Promise<string> {
  const names = (await must('nm', ['--dynamic', '--undefined-only', addon])).match(/\bnapi_\w+/g) ?? []
  const stubs = names.map(name => `void ${name}(void) { abort(); }`)
  return `#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
${stubs.join('\n')}
int main(int count, char** words) {
  void* addon = count == 2 ? dlopen(words[1], RTLD_NOW) : 0;
  if (!addon || !dlsym(addon, "napi_register_module_v1")) return puts(dlerror()), 1;
  return puts("loaded"), 0;
}
`
}
