/**
 * How dark or bright a weight looks: a colour where there are colours, else a character with that much ink.
 * @module
 */
import { type Colour, type Palette, paint } from './palette.ts'

/** From nothing to everything; each is brighter than the one before, so they read in greyscale too. */
const COLOURS: readonly Colour[] = [
  { rgb: [24, 24, 44], xterm: 234 },
  { rgb: [44, 28, 68], xterm: 235 },
  { rgb: [64, 32, 92], xterm: 53 },
  { rgb: [128, 42, 104], xterm: 89 },
  { rgb: [196, 62, 82], xterm: 167 },
  { rgb: [240, 122, 48], xterm: 208 },
  { rgb: [252, 196, 72], xterm: 220 },
  { rgb: [255, 246, 190], xterm: 230 },
]
const INK = ' .:-=+*#%@'
const DARK: Colour = { rgb: [20, 20, 20], xterm: 16 }
const PALE: Colour = { rgb: [235, 235, 235], xterm: 255 }
/** Narrower cells are all ink; from here on they hold a number and a gap. */
const GAP_CELL = 3

/** A cell of `width` columns: the text on a ground as bright as the weight, or after that much ink. */
export function shadedCell(weight: number, text: string, width: number, palette: Palette): string {
  if (palette === 'none') {
    const ink = inkOf(weight)
    if (width < GAP_CELL) return ink.repeat(width)
    const cell = text ? text.padStart(width - 1, ink) : ink.padStart(width - 1)
    return `${cell} `
  }
  const ground = colourOf(weight)
  const centred = text.padStart(Math.ceil((width + text.length) / 2)).padEnd(width)
  return paint(palette, centred, { ground, text: luminance(ground) > 120 ? DARK : PALE })
}

/** The character whose ink stands for a weight. */
export function inkOf(weight: number): string {
  return INK[Math.round(brightness(weight) * (INK.length - 1))]
}

/** The colour that stands for a weight. */
export function colourOf(weight: number): Colour {
  const place = brightness(weight) * (COLOURS.length - 1)
  const low = Math.min(Math.floor(place), COLOURS.length - 2)
  const from = COLOURS[low].rgb
  const to = COLOURS[low + 1].rgb
  const mix = (part: 0 | 1 | 2): number => Math.round(from[part] + (place - low) * (to[part] - from[part]))
  return { rgb: [mix(0), mix(1), mix(2)], xterm: COLOURS[Math.round(place)].xterm }
}

/** Most weights are small; a power below one keeps them apart to the eye. */
function brightness(weight: number): number {
  return Math.min(1, Math.max(0, weight)) ** 0.6
}

function luminance({ rgb: [red, green, blue] }: Colour): number {
  return 0.3 * red + 0.59 * green + 0.11 * blue
}
