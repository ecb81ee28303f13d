/**
 * Which backend serves: by default, by force, and when something is missing, broken or refused.
 * Every case is a fresh process on the built package.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Info } from '../src/attention/api.ts'
import { copyPackage, evaluate, hasAddon, root, runChild } from './support/child.ts'
import { platforms } from './support/platforms.ts'
import './support/replay.ts'

const INFO = 'print(selfsame.info())'
const CALL = 'selfsame.attention(zeros(1, 2, 9, 8), zeros(1, 2, 9, 8), zeros(1, 2, 9, 8))'
const NAMES = ['native', 'wasm-relaxed', 'wasm-simd', 'reference']
const wasm = platforms.find(({ backend }) => backend.startsWith('wasm'))!.backend
const reasonOf = (info: Info, name: string): string => info.candidates.find(row => row.name === name)!.reason

describe('by default', () => {
  test('the fastest that is there, and why not the others', () => {
    const info = evaluate<Info>(INFO)
    expect(info.backend).toBe(hasAddon ? 'native' : wasm)
    expect(info.candidates.map(row => row.name)).toEqual(NAMES)
    for (const { reason } of info.candidates) expect(reason).not.toBe('')
    expect(info.candidates.find(row => row.name === info.backend)).toMatchObject({ ok: true })
    expect(info.version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
  })

  test('importing opens nothing, even where the environment asks for the impossible', () => {
    const child = runChild('print(Object.keys(selfsame).length)', {
      env: { SELFSAME_BACKEND: 'cuda', SELFSAME_ISA: 'sse9' },
    })
    expect(child).toMatchObject({ status: 0, stderr: '' })
  })

  test('require() works', () => {
    const [major, minor] = process.versions.node.split('.').map(Number)
    if (major === 20 && minor < 19) return
    const code = `
      import { createRequire } from 'node:module'
      print(typeof createRequire(${JSON.stringify(join(root, 'package.json'))})('selfsame').attention)`
    expect(evaluate(code, { flags: ['--no-warnings'] })).toBe('function')
  })
})

describe('by force', () => {
  test.each(platforms.map(platform => [platform.name, platform] as const))(
    'the environment asks for %s',
    (_, platform) => {
      const env = {
        SELFSAME_BACKEND: platform.backend,
        ...(platform.isa && { SELFSAME_ISA: platform.isa, SELFSAME_THREADS: String(platform.threads) }),
      }
      const info = evaluate<Info>(`${CALL}; ${INFO}`, { env })
      expect(info).toMatchObject({ backend: platform.backend, threads: platform.threads })
      if (platform.isa) expect(info.isa).toBe(platform.isa)
    },
  )

  test("'wasm' takes the better of the two", () => {
    expect(evaluate<Info>(INFO, { env: { SELFSAME_BACKEND: 'wasm' } }).backend).toBe(wasm)
  })

  test('load() wins over the environment', () => {
    const code = "print(selfsame.load({ backend: 'reference' }).info())"
    const env = { SELFSAME_BACKEND: 'wasm-simd', SELFSAME_ISA: 'scalar', SELFSAME_THREADS: '7' }
    expect(evaluate<Info>(code, { env })).toMatchObject({ backend: 'reference', threads: 1 })
  })

  const impossible: [string, Record<string, string>, RegExp[]][] = [
    ['a backend that does not exist', { SELFSAME_BACKEND: 'cuda' }, [/SELFSAME_BACKEND/, /cuda/, /native/]],
    ['an instruction set that does not exist', { SELFSAME_ISA: 'sse9' }, [/sse9/]],
    [
      "another processor's instruction set",
      { SELFSAME_ISA: process.arch === 'arm64' ? 'avx2' : 'neon' },
      [/neon|avx2/],
    ],
    ['threads that are no number', { SELFSAME_THREADS: 'many' }, [/SELFSAME_THREADS/, /many/]],
    [
      'threads where there are none',
      { SELFSAME_BACKEND: 'reference', SELFSAME_THREADS: '2' },
      [/threads/, /reference/],
    ],
    [
      'an instruction set of another backend',
      { SELFSAME_BACKEND: 'wasm-simd', SELFSAME_ISA: 'avx2' },
      [/isa/, /avx2/],
    ],
  ]
  test.each(impossible)('%s is an error at the first use', (_what, env, says) => {
    const code = `
      let message = 'nothing was thrown'
      try { ${CALL} } catch (error) { message = error.message }
      print(message)`
    const message = evaluate<string>(code, { env })
    for (const pattern of says) expect(message).toMatch(pattern)
  })

  test('forcing the absent addon lists every reason', () => {
    const code = `
      const messages = []
      for (const attempt of [() => ${CALL}, () => selfsame.info(), () => selfsame.load({ backend: 'native' })]) {
        try { attempt() } catch (error) { messages.push(error.message) }
      }
      print(messages)`
    const messages = evaluate<string[]>(code, {
      folder: copyPackage(null),
      env: { SELFSAME_BACKEND: 'native' },
    })
    expect(messages).toHaveLength(3)
    for (const message of messages) for (const name of NAMES) expect(message).toContain(name)
  })
})

/** A shared library that ends within its header; one cut later would kill any process that loads it. */
const CUT = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0])

describe('WASM takes over', () => {
  const broken: [string, Uint8Array | null, RegExp][] = [
    ['the addon is missing', null, /not (found|built)|no .*addon|missing|cannot find|there is no/i],
    ['the addon is garbage', new TextEncoder().encode('this is no shared library'), /selfsame\.node/],
    ['the addon is empty', new Uint8Array(0), /selfsame\.node/],
    ['the addon is cut short', CUT, /selfsame\.node/],
  ]
  test.each(broken)('when %s', (_what, binary, says) => {
    const child = runChild(`${CALL}; ${INFO}`, { folder: copyPackage(binary) })
    expect(child.status, child.stderr).toBe(0)
    const info = JSON.parse(child.stdout) as Info
    expect(info.backend).toBe(evaluate<Info>(INFO, { env: { SELFSAME_BACKEND: 'wasm' } }).backend)
    expect(info.candidates[0]).toMatchObject({ name: 'native', ok: false })
    expect(reasonOf(info, 'native')).toMatch(says)
  })

  test.skipIf(!hasAddon)('when node refuses addons', () => {
    const info = evaluate<Info>(`${CALL}; ${INFO}`, { folder: copyPackage('own'), flags: ['--no-addons'] })
    expect(info.backend).toMatch(/^wasm-/)
    expect(reasonOf(info, 'native')).toMatch(/addon/i)
  })

  test.skipIf(!hasAddon)('but not when the addon is there', () => {
    expect(evaluate<Info>(`${CALL}; ${INFO}`, { folder: copyPackage('own') }).backend).toBe('native')
  })

  test('and plain TypeScript where there is no WebAssembly', () => {
    const info = evaluate<Info>(`delete globalThis.WebAssembly; ${CALL}; print(selfsame.info())`, {
      folder: copyPackage(null),
    })
    expect(info.backend).toBe('reference')
    expect(reasonOf(info, 'wasm-simd')).toMatch(/WebAssembly/)
  })
})

describe('what a backend lacks', () => {
  const kept = '{ keep: { data: new Uint8Array(9).fill(1), dims: [9] } }'
  test.each(platforms.map(platform => [platform.name, platform] as const))(
    'runs elsewhere with one warning: %s',
    (_, platform) => {
      const wish = JSON.stringify({ backend: platform.backend, isa: platform.isa, threads: platform.threads })
      const code = `
      const warnings = []
      process.on('warning', warning => warnings.push(warning.message))
      const api = selfsame.load(${wish})
      const t = () => zeros(1, 2, 9, 8)
      for (let n = 0; n < 3; n++) api.attention(t(), t(), t(), ${kept})
      api.attention(t(), t(), t())
      const { missing } = api.plan(t(), t(), t(), ${kept})
      setTimeout(() => print({ warnings, missing }), 20)`
      const { warnings, missing } = evaluate<{ warnings: string[]; missing: string[] }>(code)
      expect(warnings).toHaveLength(missing.length === 0 ? 0 : 1)
      for (const warning of warnings) expect(warning).toMatch(/keep.*reference/)
    },
  )
})
