/**
 * The shape of the house: imports point one way, files stay small, intrinsics stay in one folder,
 * and the plan reads the same in every language.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ITEM_WORDS, PLAN_WORDS } from '../src/attention/plan.ts'
import { version } from '../src/version.ts'
import { root } from './support/child.ts'
import './support/replay.ts'

const MOST_LINES = 300

/** Paths from the root of all files below a folder, in order; without what is generated. */
function filesBelow(folder: string, pattern: RegExp): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(
      entry =>
        entry.isFile() &&
        pattern.test(entry.name) &&
        !/\.generated\.|node_modules/.test(join(entry.parentPath ?? entry.path, entry.name)),
    )
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(root.length))
    .sort()
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const sources = filesBelow('src', /(?<!\.d)\.ts$/)

/** What a file imports, also only for its types: files of src by path, others by name. */
function importsOf(file: string): string[] {
  const statements = read(file).matchAll(
    /^(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|(?<!typeof )\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )
  return [...statements].map(match => {
    const name = match[1] ?? match[2] ?? match[3]
    return name.startsWith('.') ? normalize(join(dirname(file), name)) : name
  })
}

/** The layers from the bottom up, and what each may import beside its own files. */
const LAYERS: { name: string; holds: (file: string) => boolean; imports: string[] }[] = [
  { name: 'plan', holds: file => file === 'src/attention/plan.ts', imports: [] },
  { name: 'version', holds: file => file === 'src/version.ts', imports: [] },
  { name: 'numeric', holds: file => file.startsWith('src/numeric/'), imports: [] },
  { name: 'backends', holds: file => file.startsWith('src/backends/'), imports: ['plan', 'numeric'] },
  {
    name: 'attention',
    holds: file => file.startsWith('src/attention/') && file !== 'src/attention/plan.ts',
    imports: ['plan', 'version', 'numeric', 'backends'],
  },
  {
    name: 'entries',
    holds: file => /^src\/(index|edge)\.ts$/.test(file),
    imports: ['attention', 'backends'],
  },
  {
    name: 'onnx',
    holds: file => file.startsWith('src/onnx/'),
    imports: ['entries', 'attention', 'plan', 'numeric'],
  },
  {
    name: 'nn',
    holds: file => file.startsWith('src/nn/'),
    imports: ['entries', 'attention', 'backends', 'plan', 'numeric'],
  },
  {
    name: 'models',
    holds: file => file.startsWith('src/models/'),
    imports: ['nn', 'entries', 'attention', 'numeric'],
  },
  { name: 'explain', holds: file => file.startsWith('src/explain/'), imports: ['entries', 'numeric'] },
  {
    name: 'cli',
    holds: file => file.startsWith('src/cli/'),
    imports: ['entries', 'explain', 'models', 'nn', 'version'],
  },
]
const layerOf = (file: string) => LAYERS.find(layer => layer.holds(file))

describe('imports', () => {
  test('every file of src has a layer', () => {
    expect(sources.length).toBeGreaterThan(20)
    expect(sources.filter(file => !layerOf(file))).toEqual([])
  })

  test('point one way', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const layer = layerOf(file)!
      for (const target of importsOf(file).filter(name => name.startsWith('src/') && name.endsWith('.ts'))) {
        const other = layerOf(target)!
        if (other !== layer && !layer.imports.includes(other.name))
          wrong.push(`${file} (${layer.name}) imports ${target} (${other.name})`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('have no cycles', () => {
    const open = new Set<string>()
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: string[]): void => {
      if (done.has(file)) return
      if (open.has(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
        return
      }
      open.add(file)
      for (const target of importsOf(file)) if (sources.includes(target)) visit(target, [...path, file])
      open.delete(file)
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })

  test('of the core bring in no other package, and name no module of Node', () => {
    const core = sources.filter(file => !/^src\/(cli|explain)\//.test(file))
    const outside = core.flatMap(file =>
      importsOf(file)
        .filter(name => !name.startsWith('src/') && !/^\.\/|\.wasm/.test(name))
        .map(name => `${file} imports ${name}`),
    )
    expect(outside).toEqual([])
  })

  test('of the oracle reach nothing in src', () => {
    const reached = filesBelow('test/oracle', /\.ts$/).flatMap(file =>
      importsOf(file).filter(name => !name.startsWith('test/oracle/')),
    )
    expect(reached).toEqual([])
  })
})

describe('files', () => {
  const folders = ['src', 'native', 'assembly', 'test', 'scripts', 'bench']
  test.each(folders)(`of %s have at most ${MOST_LINES} lines`, folder => {
    const files = filesBelow(folder, /\.(ts|mjs|js|cc|h|py)$/)
    if (folder !== 'bench') expect(files).not.toEqual([])
    const large = files
      .map(file => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES)
    expect(large).toEqual([])
  })

  test('outside of native/simd use no intrinsics', () => {
    const intrinsic =
      /\b_mm\d*_\w+|\b__m(128|256|512)\w*|\b__mmask\d+|\bv(ld|st)[1-4]q?_\w+|\bv\w+q_[fsu]\d+\b|\b(float|u?int)\d+x\d+_t\b/
    const found = filesBelow('native', /\.(cc|h)$/)
      .filter(file => !file.startsWith('native/simd/'))
      .filter(file => intrinsic.test(read(file)))
    expect(found).toEqual([])
    // The pattern does see what it looks for.
    const simd = filesBelow('native/simd', /(avx512|avx2|neon)\.h$/)
    expect(simd.filter(file => intrinsic.test(read(file)))).toEqual(simd)
    expect(simd).toHaveLength(3)
  })

  test('outside of Node have nothing to do with this machine', () => {
    const texts = [
      ...sources,
      ...folders.slice(1).flatMap(folder => filesBelow(folder, /\.(ts|mjs|cc|h|py)$/)),
    ]
    // Written in pieces, or this file would find itself.
    const paths = new RegExp(['/work', '/home/\\w', '/root'].map(path => `["'\`]${path}/`).join('|'))
    expect(texts.filter(file => paths.test(read(file)))).toEqual([])
  })
})

describe('the plan', () => {
  test('has the same words in C++, in the same order', () => {
    const header = read('native/attention/plan.h')
    const list = header.slice(header.indexOf('#define SELFSAME_PLAN_WORDS'))
    const words = [...list.slice(0, list.indexOf('\n\n')).matchAll(/^\s+(?:integer|real)\((\w+)\)/gm)].map(
      match => match[1],
    )
    expect(words).toEqual([...PLAN_WORDS])
  })

  test('has the same words of an item in C++, in the same order', () => {
    const header = read('native/attention/plan.h')
    const struct = header.slice(header.indexOf('struct Item {'))
    const fields = [...struct.slice(0, struct.indexOf('};')).matchAll(/int32_t (\w+);/g)].map(
      match => match[1],
    )
    expect(fields).toEqual([...ITEM_WORDS])
  })

  test('names no word twice', () => {
    expect(new Set(PLAN_WORDS).size).toBe(PLAN_WORDS.length)
  })
})

test('the version is that of package.json', () => {
  expect(version).toBe(JSON.parse(read('package.json')).version)
})
