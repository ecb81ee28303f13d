/**
 * What can go wrong with an addon does: importing the package never throws, the next backend computes, and
 * `doctor` says what was refused, why, and what to do.
 * @module
 */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { distantFolder, must, run, setting } from './support/setting.ts'

const { installed, nodes, project, tools } = setting
const HOST = `${process.platform}-${process.arch}`

/** A project of its own, with the package as it is installed. */
interface Copy {
  readonly folder: string
  readonly program: string
  readonly doctor: string
  readonly binary: string
}

function copy(): Copy {
  const folder = distantFolder()
  const to = join(folder, 'node_modules/selfsame')
  cpSync(installed, to, { recursive: true })
  cpSync(join(project, 'versus.mjs'), join(folder, 'versus.mjs'))
  // Deno asks the manifest what an import may mean.
  cpSync(join(project, 'package.json'), join(folder, 'package.json'))
  return {
    folder,
    program: join(folder, 'versus.mjs'),
    doctor: join(to, 'dist/doctor.js'),
    binary: join(to, 'prebuilds', `${HOST}.node`),
  }
}

interface Trouble {
  what: string
  /** Does the damage. */
  harm?: (copy: Copy) => void
  /** The program and options that run a file; by default, this Node. */
  start?: (copy: Copy) => string[]
  /** The backend that takes over. */
  takes: RegExp
  /** The reason against native. */
  reason: RegExp
  /** What `doctor` advises; undefined where there is nothing to be done. */
  remedy?: RegExp
}

const own = [nodes.own]

const TROUBLES: Trouble[] = [
  {
    what: 'no binary at all',
    harm: ({ binary }) => rmSync(join(binary, '..'), { recursive: true }),
    takes: /^wasm-/,
    reason: /not built/,
    remedy: /no binaries at all.*install it again/,
  },
  {
    what: 'a platform without a binary',
    harm: ({ binary }) => {
      rmSync(join(binary, '..'), { recursive: true })
      cpSync(join(installed, 'prebuilds', `${HOST}.node`), join(binary, '..', 'plan9-mips.node'))
    },
    takes: /^wasm-/,
    reason: /not built/,
  },
  {
    what: 'a binary that is none',
    harm: ({ binary }) => writeFileSync(binary, 'this is no shared library'),
    takes: /^wasm-/,
    reason: /does not load/,
    remedy: /no binary at all.*install it again/,
  },
  {
    what: 'a binary cut short',
    harm: ({ binary }) => writeFileSync(binary, readFileSync(binary).subarray(0, 40)),
    takes: /^wasm-/,
    reason: /does not load/,
    remedy: /install it again/,
  },
  {
    what: "another processor's binary",
    harm: ({ binary }) => {
      const bytes = readFileSync(binary)
      bytes.writeUInt16LE(0xb7, 18)
      writeFileSync(binary, bytes)
    },
    takes: /^wasm-/,
    reason: /does not load/,
    remedy: /is linux-arm64, and this is linux-x64/,
  },
  {
    what: 'a C library that is too old',
    // As if the binary asked for a glibc of the future: the same to the loader as a glibc of the past.
    harm: ({ binary }) => {
      const text = readFileSync(binary).toString('latin1').replaceAll('GLIBC_2.17', 'GLIBC_9.17')
      writeFileSync(binary, Buffer.from(text, 'latin1'))
    },
    takes: /^wasm-/,
    reason: /GLIBC_9\.17.* not found/,
    remedy: /newer C library than glibc \d/,
  },
  {
    what: 'a processor without AVX2',
    start: () => [tools['qemu-x86_64'], '-cpu', 'Nehalem', nodes.own],
    takes: /^wasm-simd$/,
    reason: /this CPU has none of avx512, avx2/,
  },
  {
    what: 'node --no-addons',
    start: () => [nodes.own, '--no-addons'],
    takes: /^wasm-simd$/,
    reason: /loading addons is disabled/,
    remedy: /--no-addons/,
  },
  {
    what: 'node --permission',
    start: ({ folder }) => [nodes['24'], '--permission', `--allow-fs-read=${folder}`],
    takes: /^wasm-relaxed$/,
    reason: /loading addons is disabled/,
    remedy: /--allow-addons/,
  },
  {
    what: 'node --permission without the folder of the binaries',
    start: ({ folder }) => {
      const readable = ['versus.mjs', 'node_modules/selfsame/dist', 'node_modules/selfsame/package.json']
      return [nodes['26'], '--permission', ...readable.map(path => `--allow-fs-read=${join(folder, path)}`)]
    },
    takes: /^wasm-relaxed$/,
    reason: /restricted/,
    remedy: /--allow-fs-read/,
  },
  {
    what: 'Deno without ffi',
    start: () => [tools.deno, 'run', '--allow-read', '--allow-env', '--allow-sys'],
    takes: /^wasm-relaxed$/,
    reason: /only with --allow-ffi/,
    remedy: /--allow-ffi --allow-read/,
  },
]

describe.each(TROUBLES.map(trouble => [trouble.what, trouble] as const))(
  '%s',
  (_, { harm, start = () => own, takes, reason, remedy }) => {
    test('the next backend takes over', async () => {
      const damaged = copy()
      harm?.(damaged)
      const [program, ...args] = [...start(damaged), damaged.program]
      const said = JSON.parse(await must(program, args, { cwd: damaged.folder }))
      expect(said.backend).toMatch(takes)
      expect(said.why).toMatch(reason)
      expect(said.furthest).toBeLessThan(1e-5)
    })

    test('doctor explains', async () => {
      const damaged = copy()
      harm?.(damaged)
      const [program, ...args] = [...start(damaged), damaged.doctor, '--json']
      const { code, stdout, stderr } = await run(program, args, { cwd: damaged.folder })
      const { findings, backend } = JSON.parse(stdout || `{ "stderr": ${JSON.stringify(stderr)} }`)
      const [native] = findings
      expect(native).toMatchObject({ name: 'native', state: 'refused' })
      expect(native.reason).toMatch(reason)
      if (remedy) expect(native.remedy).toMatch(remedy)
      else expect(native.remedy).toBeUndefined()
      expect(backend).toMatch(takes)
      const advised = findings.some((finding: { remedy?: string }) => finding.remedy)
      expect(code).toBe(advised ? 1 : 0)
    })
  },
)

test('without any trouble doctor is content, as text too', async () => {
  const { doctor, folder } = copy()
  const { code, stdout } = await run(nodes.own, [doctor], { cwd: folder })
  expect(stdout).toMatch(/native +serves\n/)
  expect(stdout).toMatch(/attention works here, on native/)
  expect(stdout).not.toMatch(/what to do/)
  expect(code).toBe(0)
})

test('what the environment asks for and is not there: doctor says so, with exit code 2', async () => {
  const { doctor, folder } = copy()
  const { code, stdout } = await run(nodes.own, [doctor], { cwd: folder, env: { SELFSAME_ISA: 'neon' } })
  expect(stdout).toMatch(/no backend fits isa 'neon'/)
  expect(code).toBe(2)
})

test('the addon asks for no external buffers, which Electron forbids', async () => {
  const binary = join(installed, 'prebuilds', `${HOST}.node`)
  expect(existsSync(binary)).toBe(true)
  const wanted = await must('nm', ['--dynamic', '--undefined-only', binary])
  expect(wanted).toMatch(/napi_create_/)
  expect(wanted).not.toMatch(/napi_create_external_(array)?buffer/)
})
