/**
 * The tarball before the eyes of publint and of Are The Types Wrong. Its sizes are held by scripts/budgets.mjs.
 * @module
 */
import { expect, test } from 'vitest'
import { must, run, setting } from './support/setting.ts'

const { tools, tarball } = setting

test('publint has nothing to say', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [tools.publint, tarball, '--strict'])
  expect(`${stdout}${stderr}`).not.toMatch(/Errors:|Warnings:/)
  expect(code).toBe(0)
})

test('the types are right for every kind of import', async () => {
  // The .wasm files have no types: they are files. From CommonJS the package is ES modules, which every supported Node loads by require().
  const text = await must(process.execPath, [
    tools.attw,
    tarball,
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--no-emoji',
    '--exclude-entrypoints',
    'simd.wasm',
    'relaxed.wasm',
  ])
  expect(text.match(/OK \(ESM\)/g)).toHaveLength(2)
})
