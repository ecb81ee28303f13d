import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { BOUNDS, contenders, differences } from '../src/cli/contest.ts'
import { maxDifference, randomNormal } from '../src/cli/measure.ts'
import { plainAttention } from '../src/cli/plain-loop.ts'
import { wrap } from '../src/cli/terminal.ts'
import { headMap, placeOf, strongestHead, strongestPerLayer } from '../src/explain/head.ts'
import { heatmap } from '../src/explain/heatmap.ts'
import { linksOf } from '../src/explain/links.ts'
import { type Palette, paint, pickPalette } from '../src/explain/palette.ts'
import { readRecording, sentenceOf } from '../src/explain/recording.ts'
import { colourOf, inkOf } from '../src/explain/shade.ts'
import { info } from '../src/index.ts'

const folder = new URL('../src/explain/recording/', import.meta.url)
const recording = readRecording()
const tired = sentenceOf(recording, 'tired')
const wide = sentenceOf(recording, 'wide')
const bank = sentenceOf(recording, 'bank')
const storedLayers = (sentence: typeof tired): Float32Array[] =>
  sentence.layers.map(layer => layer.storedWeights)

describe('the recording', () => {
  test('holds the files its manifest describes, well under a megabyte', () => {
    const manifest = JSON.parse(readFileSync(new URL('minilm.json', folder), 'utf8'))
    for (const { file, sha256 } of manifest.sentences) {
      expect(
        createHash('sha256')
          .update(readFileSync(new URL(file, folder)))
          .digest('hex'),
      ).toBe(sha256)
    }
    expect(manifest.license).toMatch(/^Apache-2\.0/)
    expect(manifest.versions.torch).toMatch(/^2\.13\./)
    const bytes = readdirSync(folder).map(file => statSync(new URL(file, folder)).size)
    expect(bytes.reduce((a, b) => a + b)).toBeLessThan(900_000)
  })

  test('names what it has when asked for something else', () => {
    expect(() => sentenceOf(recording, 'dog')).toThrow(/name: expected one of tired, wide, bank, got dog/)
    expect(() => placeOf(bank.tokens, 'cat')).toThrow(/token: .*money.* got cat/)
  })

  test('has word pieces as the model reads them', () => {
    expect(tired.tokens.join(' ')).toBe(
      "[CLS] the cat didn ' t cross the street because it was too tired . [SEP]",
    )
    expect(wide.tokens.join(' ')).toBe(
      "[CLS] the cat didn ' t cross the street because it was too wide . [SEP]",
    )
    expect(bank.tokens.join(' ')).toBe('[CLS] i went to the bank to deposit money . [SEP]')
  })

  test.each(recording.sentences)('$name: PyTorch made its weights of these q and k', ({ tokens, layers }) => {
    expect(layers.length).toBe(6)
    for (const { q, k, v, storedWeights, modelWeights } of layers) {
      for (const tensor of [q, k, v]) {
        expect(tensor.dims).toEqual([1, 12, tokens.length, 32])
        expect(tensor.data.length).toBe(12 * tokens.length * 32)
      }
      expect(maxDifference(weightsByFormula(q.data, k.data, tokens.length), storedWeights)).toBeLessThan(2e-6)
      expect(maxDifference(storedWeights, modelWeights)).toBeLessThan(BOUNDS.model)
    }
  })
})

/** softmax(q k^T / sqrt(32)) of every head, in float64. */
function weightsByFormula(q: Float32Array, k: Float32Array, tokens: number): number[] {
  const weights: number[] = []
  for (let row = 0; row < 12 * tokens; row++) {
    const firstKey = Math.floor(row / tokens) * tokens
    const powers = Array.from({ length: tokens }, (_, j) => {
      let score = 0
      for (let c = 0; c < 32; c++) score += q[row * 32 + c] * k[(firstKey + j) * 32 + c]
      return Math.exp(score / Math.sqrt(32))
    })
    const total = powers.reduce((a, b) => a + b)
    weights.push(...powers.map(power => power / total))
  }
  return weights
}

describe('what the model attends to', () => {
  test('"it" is the cat that is tired, and much less the cat when something is wide', () => {
    const choice = strongestHead(storedLayers(tired), tired.tokens, 'it', 'cat')
    expect(choice).toMatchObject({ layer: 3, head: 1 })
    expect(choice.weight).toBeCloseTo(0.7675, 3)
    const map = headMap(wide.layers[choice.layer].storedWeights, choice.head, wide.tokens)
    const link = linksOf(map, placeOf(wide.tokens, 'it')).find(({ to }) => wide.tokens[to] === 'cat')
    expect(link?.weight).toBeLessThan(0.25)
  })

  test('the strongest head of a layer is the largest of its twelve', () => {
    const cell = placeOf(bank.tokens, 'bank') * 11 + placeOf(bank.tokens, 'money')
    for (const { layer, head, weight } of strongestPerLayer(
      storedLayers(bank),
      bank.tokens,
      'bank',
      'money',
    )) {
      const all = Array.from({ length: 12 }, (_, h) => bank.layers[layer].storedWeights[h * 121 + cell])
      expect(weight).toBe(Math.max(...all))
      expect(all[head]).toBe(weight)
    }
  })

  test('links are all there, strongest first', () => {
    const map = { tokens: ['a', 'b'], weights: Float32Array.of(0.25, 0.75, 0.5, 0.5) }
    expect(linksOf(map)).toEqual([
      { from: 0, to: 1, weight: 0.75 },
      { from: 1, to: 0, weight: 0.5 },
      { from: 1, to: 1, weight: 0.5 },
      { from: 0, to: 0, weight: 0.25 },
    ])
    expect(linksOf(map, 1).map(link => link.to)).toEqual([0, 1])
  })
})

describe('the heat map', () => {
  const map = headMap(tired.layers[3].storedWeights, 1, tired.tokens)

  test.each(['none', '256', 'truecolor'] as Palette[])(
    '%s: fits its columns, down to one per token',
    palette => {
      const least = 10 + tired.tokens.length + 4
      for (let width = 20; width <= 90; width++) {
        const lines = heatmap(map, { palette, width }).map(line => stripVTControlCharacters(line))
        expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(Math.max(width, least))
      }
    },
  )

  test.each(['none', '256', 'truecolor'] as Palette[])(
    '%s: labels and numbers stand in their columns',
    palette => {
      const lines = heatmap(map, { palette, width: 80, mark: 10 }).map(line => stripVTControlCharacters(line))
      const column = 10 + 4 * placeOf(tired.tokens, 'cat')
      expect(lines[0].slice(column, column + 4)).toBe('cat ')
      const marked = lines.filter(line => line.startsWith('>'))
      expect(marked.length).toBe(1)
      expect(marked[0].slice(0, 9)).toBe('>      it')
      expect(marked[0].slice(column, column + 4)).toMatch(/77/)
      expect(lines.length).toBe(2 + 16)
    },
  )

  test('has no escape sequence without colours, and shows chosen rows only', () => {
    const lines = heatmap(map, { palette: 'none', width: 80, rows: [2, 10] })
    expect(lines.join('')).not.toContain('\x1b')
    expect(lines.slice(2).map(line => line.trim().split(' ')[0])).toEqual(['cat', 'it'])
  })

  test('shades rise with the weight', () => {
    const grades = Array.from({ length: 101 }, (_, i) => i / 100)
    const ink = grades.map(grade => ' .:-=+*#%@'.indexOf(inkOf(grade)))
    const light = grades.map(grade => colourOf(grade).rgb.reduce((a, b) => a + b))
    for (let i = 1; i < grades.length; i++) {
      expect(ink[i]).toBeGreaterThanOrEqual(ink[i - 1])
      expect(light[i]).toBeGreaterThan(light[i - 1])
    }
    expect([inkOf(0), inkOf(1), inkOf(-1), inkOf(2)]).toEqual([' ', '@', ' ', '@'])
  })
})

describe('colours', () => {
  test.each([
    [{ TERM: 'xterm-256color' }, true, '256'],
    [{ TERM: 'xterm', COLORTERM: 'truecolor' }, true, 'truecolor'],
    [{ TERM: 'xterm', COLORTERM: 'truecolor' }, false, 'none'],
    [{ TERM: 'dumb', COLORTERM: 'truecolor' }, true, 'none'],
    [{ NO_COLOR: '1' }, true, 'none'],
    [{ NO_COLOR: '' }, true, '256'],
    [{ FORCE_COLOR: '1' }, false, '256'],
    [{ FORCE_COLOR: '' }, false, '256'],
    [{ FORCE_COLOR: '3' }, false, 'truecolor'],
    [{ FORCE_COLOR: '0' }, true, 'none'],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, '256'],
  ])('%o, terminal %s: %s', (env, isTerminal, palette) => {
    expect(pickPalette(env, isTerminal)).toBe(palette)
  })

  test('are closed after the text', () => {
    const red = { rgb: [200, 0, 0], xterm: 160 } as const
    expect(paint('truecolor', 'x', { text: red, bold: true })).toBe('\x1b[1;38;2;200;0;0mx\x1b[0m')
    expect(paint('256', 'x', { ground: red, dim: true })).toBe('\x1b[2;48;5;160mx\x1b[0m')
    expect(paint('none', 'x', { text: red })).toBe('x')
  })
})

test('lines break between words, and keep all of them', () => {
  const text = 'the cat did not cross the street because it was too tired'
  const lines = wrap(text, 20, 2)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(20)
  expect(lines.map(line => line.trim()).join(' ')).toBe(text)
  expect(lines.slice(1).every(line => line.startsWith('  '))).toBe(true)
})

test('the plain loop is attention', () => {
  for (const { q, k, v, storedWeights } of bank.layers) {
    const output = plainAttention(q.data, k.data, v.data, 12, 11, 32)
    const expected = Float64Array.from({ length: output.length }, (_, at) => {
      const row = Math.floor(at / 32)
      const firstValue = Math.floor(row / 11) * 11
      let sum = 0
      for (let j = 0; j < 11; j++)
        sum += storedWeights[row * 11 + j] * v.data[(firstValue + j) * 32 + (at % 32)]
      return sum
    })
    expect(maxDifference(output, expected)).toBeLessThan(1e-5)
  }
})

test('differences see a NaN and a wrong length; random numbers are normal and repeat', () => {
  expect(maxDifference([1, Number.NaN, 3], [1, 2, 3])).toBeNaN()
  expect(() => maxDifference([1], [1, 2])).toThrow(RangeError)
  const numbers = randomNormal(20_000, 7)
  const mean = numbers.reduce((a, b) => a + b) / numbers.length
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length
  expect(Math.abs(mean)).toBeLessThan(0.03)
  expect(Math.abs(variance - 1)).toBeLessThan(0.05)
  expect(randomNormal(20_000, 7)).toEqual(numbers)
})

describe('PyTorch and every backend here', () => {
  const backends = contenders(info().candidates)
  test.each(backends)('$label agrees', ({ attention }) => {
    const { stored, model } = differences(recording.sentences, attention)
    expect(stored).toBeLessThanOrEqual(BOUNDS.stored)
    expect(model).toBeLessThanOrEqual(BOUNDS.model)
    expect(stored).toBeGreaterThan(0)
  })
})

describe('npm run demo', () => {
  test('prints all of it within 80 columns, without colours when told so', { timeout: 60_000 }, async () => {
    const { code, text, errors } = await runDemo({ NO_COLOR: '1' })
    expect(errors).toBe('')
    expect(code).toBe(0)
    expect(text).not.toContain('\x1b')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(text).toMatch(/^"it" looks at: cat 77%/m)
    for (const { label } of contenders(info().candidates)) expect(text.split(`  ${label} `).length).toBe(3)
    expect(text).toMatch(/^Next: /m)
  })

  test('ends quietly when its reader goes away', { timeout: 60_000 }, async () => {
    const { code, text, errors } = await runDemo({ FORCE_COLOR: '3' }, 1)
    expect(errors).toBe('')
    expect(code).toBe(0)
    expect(text).toContain('\x1b[')
    expect(text).not.toMatch(/Next: /)
  })
})

/** Runs the built demo; with `chunks`, closes its output after so many. */
function runDemo(
  env: Record<string, string>,
  chunks = Number.POSITIVE_INFINITY,
): Promise<{ code: number | null; text: string; errors: string }> {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...plain } = process.env
  const file = fileURLToPath(new URL('../dist/demo.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, file], { env: { ...plain, ...env } })
  let text = ''
  let errors = ''
  let seen = 0
  child.stdout.on('data', chunk => {
    text += chunk
    if (++seen >= chunks) child.stdout.destroy()
  })
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  return new Promise(resolve => child.on('close', code => resolve({ code, text, errors })))
}
