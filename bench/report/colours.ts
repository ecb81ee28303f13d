/**
 * Who has which colour, in light and in dark: selfsame in blue and violet, its peers in the others.
 * @module
 */

interface Colour {
  light: string
  dark: string
}

const INK: Record<string, Colour> = {
  paper: { light: '#ffffff', dark: '#14171c' },
  ink: { light: '#1f2329', dark: '#e4e7eb' },
  faint: { light: '#6b7280', dark: '#9aa3af' },
  line: { light: '#e3e6ea', dark: '#2c323b' },
  worse: { light: '#b91c1c', dark: '#f87171' },
}

const KNOWN: Record<string, Colour> = {
  native: { light: '#1d4ed8', dark: '#6ea8ff' },
  wasm: { light: '#7c3aed', dark: '#b79bff' },
  'ort-node': { light: '#ea580c', dark: '#fb923c' },
  'ort-web': { light: '#b58a00', dark: '#facc15' },
  'tfjs-wasm': { light: '#059669', dark: '#34d399' },
  torch: { light: '#db2777', dark: '#f472b6' },
  'plain-loop': { light: '#6b7280', dark: '#9aa3af' },
  'rnn-scan': { light: '#1f2329', dark: '#e4e7eb' },
}

const OTHERS: readonly Colour[] = [
  { light: '#0e7490', dark: '#22d3ee' },
  { light: '#65a30d', dark: '#a3e635' },
  { light: '#92400e', dark: '#d6a77a' },
]

/** `var(--…)` of a contender, and the rules that give the variables their values. */
export interface Colours {
  of(contender: string): string
  css(selector: string): string
}

export function coloursFor(contenders: readonly string[]): Colours {
  const table = new Map(Object.entries({ ...INK, ...KNOWN }))
  const keys = contenders.map(keyOf)
  keys
    .filter(key => !table.has(key))
    .forEach((key, i) => {
      table.set(key, OTHERS[i % OTHERS.length])
    })
  const rules = (mode: keyof Colour): string =>
    [...table].map(([key, colour]) => `--${key}: ${colour[mode]};`).join(' ')
  return {
    of: contender => `var(--${keyOf(contender)})`,
    css: selector =>
      `${selector} { ${rules('light')} } @media (prefers-color-scheme: dark) { ${selector} { ${rules('dark')} } }`,
  }
}

/** Backends of one family never stand side by side in a chart. */
function keyOf(contender: string): string {
  if (contender.startsWith('native')) return 'native'
  return /^wasm-(relaxed|simd)$/.test(contender) ? 'wasm' : contender
}
