/**
 * What `doctor` makes of the reasons that the package gives, on machines that are not this one.
 * That it says so in real troubles is test/runtimes/failures.test.ts.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diagnose } from '../src/cli/doctor/diagnose.ts'
import type { Host } from '../src/cli/doctor/host.ts'
import { remedyFor } from '../src/cli/doctor/remedies.ts'
import type { info } from '../src/index.ts'
import { root } from './support/child.ts'
import './support/replay.ts'

const HOST: Host = {
  runtime: 'Node 24.0.0',
  platform: 'linux-x64',
  libc: 'musl',
  binaries: ['darwin-arm64', 'linux-x64'],
  binaryIs: undefined,
}

const opened = (native: string | undefined, computes = true) => ({
  computes,
  info: {
    backend: native === undefined ? 'native' : 'wasm-simd',
    isa: native === undefined ? 'avx2' : 'simd128',
    threads: 2,
    version: '0.0.0',
    candidates: [
      { name: 'native', ok: native === undefined, reason: native ?? 'picked' },
      { name: 'wasm-relaxed', ok: true, reason: 'would run' },
      { name: 'wasm-simd', ok: true, reason: 'picked' },
      { name: 'reference', ok: true, reason: 'would run' },
    ],
  } as ReturnType<typeof info>,
})

describe('the verdict', () => {
  test('native serves: nothing to do, exit code 0', () => {
    expect(diagnose(() => opened(undefined), HOST)).toMatchObject({
      code: 0,
      verdict: 'attention works here, on native (avx2, 2 threads).',
    })
  })

  test('a faster one is refused and something can be done: exit code 1', () => {
    const { code, findings } = diagnose(() => opened('addons: loading addons is disabled'), HOST)
    expect(code).toBe(1)
    expect(findings[0]).toMatchObject({ state: 'refused', remedy: expect.stringContaining('--no-addons') })
  })

  test('a faster one is refused and nothing can be done: exit code 0', () => {
    const { code, verdict } = diagnose(() => opened('this CPU has none of avx512, avx2; …'), HOST)
    expect(code).toBe(0)
    expect(verdict).toMatch(/Nothing faster runs/)
  })

  test('a wrong result: exit code 2, whatever serves', () => {
    expect(diagnose(() => opened(undefined, false), HOST)).toMatchObject({
      code: 2,
      verdict: expect.stringContaining('WRONG'),
    })
  })

  test('nothing serves: exit code 2, with every reason', () => {
    const { code, findings, verdict } = diagnose(() => {
      throw new Error("no backend fits backend 'native'\n  native: not built\n  wasm-simd: not asked for")
    }, HOST)
    expect(code).toBe(2)
    expect(findings.map(({ name }) => name)).toEqual(['native', 'wasm-simd'])
    expect(verdict).toMatch(/SELFSAME_BACKEND/)
  })
})

describe('what to do', () => {
  const none = 'not built (npm run build): no …'
  const cases: [string, string, Partial<Host>, RegExp | undefined][] = [
    ['musl, and only a binary for glibc', none, {}, /has linux-x64 but not what this C library needs/],
    ['no binaries at all', none, { binaries: [] }, /no binaries at all/],
    ['a platform that none is made for', none, { platform: 'freebsd-x64' }, undefined],
    [
      'a binary of another system',
      'prebuilds/linux-x64.node does not load: …',
      { binaryIs: 'darwin-arm64' },
      /is darwin-arm64, and this is linux-x64/,
    ],
    [
      'an old C++ library',
      "x does not load: version `GLIBCXX_3.4.30' not found",
      {},
      /newer C library than musl/,
    ],
    ['a bundle', 'no folder above /app/x.mjs is the package selfsame, so …', {}, /external/],
    ['another version', 'the addon is of another version than this package; …', {}, /install it again/],
  ]
  test.each(cases)('%s', (_, reason, host, advice) => {
    const remedy = remedyFor('native', reason, { ...HOST, ...host })
    if (advice) expect(remedy).toMatch(advice)
    else expect(remedy).toBeUndefined()
  })
})

test('npx selfsame doctor --json is JSON, and --help names the exit codes', () => {
  const doctor = (flag: string) =>
    spawnSync(process.execPath, [join(root, 'dist/selfsame.js'), 'doctor', flag], { encoding: 'utf8' })
  const { findings, host } = JSON.parse(doctor('--json').stdout)
  expect(findings).toHaveLength(4)
  expect(host.platform).toBe(`${process.platform}-${process.arch}`)
  expect(doctor('--help').stdout).toMatch(/Exit code: 0 .*1 .*2 /s)
})
