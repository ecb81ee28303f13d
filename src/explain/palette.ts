/**
 * What a terminal can show: no colours, the 256 of xterm, or any; and text painted accordingly.
 * @module
 */

export type Palette = 'none' | '256' | 'truecolor'

/** A colour as it is, and as number of xterm's 256; picked by hand, since the nearest one is often a grey. */
export interface Colour {
  readonly rgb: readonly [red: number, green: number, blue: number]
  readonly xterm: number
}

export interface Paint {
  readonly text?: Colour
  readonly ground?: Colour
  readonly bold?: boolean
  readonly dim?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Palette of an output. FORCE_COLOR has the last word (as in Node itself), then NO_COLOR
 * (no-color.org: any value but an empty one), then whether a capable terminal is there at all.
 */
export function pickPalette(env: Environment, isTerminal: boolean): Palette {
  const forced = env.FORCE_COLOR
  if (forced !== undefined) {
    if (forced === '0' || forced === 'false') return 'none'
    return forced === '3' || saysTruecolor(env) ? 'truecolor' : '256'
  }
  if (env.NO_COLOR || !isTerminal || env.TERM === 'dumb') return 'none'
  return saysTruecolor(env) ? 'truecolor' : '256'
}

/** The text with its colours, closed by a reset; untouched where there are none. */
export function paint(palette: Palette, text: string, look: Paint): string {
  if (palette === 'none' || text === '') return text
  const codes = [
    ...(look.bold ? ['1'] : []),
    ...(look.dim ? ['2'] : []),
    ...(look.text ? [`38;${colourCode(palette, look.text)}`] : []),
    ...(look.ground ? [`48;${colourCode(palette, look.ground)}`] : []),
  ]
  return codes.length === 0 ? text : `\x1b[${codes.join(';')}m${text}\x1b[0m`
}

function saysTruecolor(env: Environment): boolean {
  return env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit' || env.WT_SESSION !== undefined
}

function colourCode(palette: Palette, colour: Colour): string {
  return palette === 'truecolor' ? `2;${colour.rgb.join(';')}` : `5;${colour.xterm}`
}
