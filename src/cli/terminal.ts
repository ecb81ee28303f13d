/**
 * Where a command's lines go: how wide they may be, in which colours, and what happens when nobody reads on.
 * @module
 */
import { type Palette, paint, pickPalette } from '../explain/palette.ts'

export interface Terminal {
  readonly width: number
  readonly palette: Palette
  /** Prints lines and lets the event loop turn, so that a closed pipe is noticed before the next long step. */
  print(...lines: string[]): Promise<void>
  bold(text: string): string
  dim(text: string): string
}

const WIDEST = 80
const NARROWEST = 40

/** The terminal behind standard output. When its reader goes away (`| head`), the process ends without a word. */
export function openTerminal(): Terminal {
  const { stdout, env } = process
  const palette = pickPalette(env, stdout.isTTY === true)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    width: Math.max(NARROWEST, Math.min(stdout.columns || WIDEST, WIDEST)),
    palette,
    print: async (...lines) => {
      stdout.write(`${lines.join('\n')}\n`)
      await new Promise(resolve => setImmediate(resolve))
    },
    bold: text => paint(palette, text, { bold: true }),
    dim: text => paint(palette, text, { dim: true }),
  }
}

/** The words in lines of at most `width` columns, the lines after the first starting with `indent` spaces. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
