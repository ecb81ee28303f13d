/**
 * What a run is doing: one line that changes in a terminal, one line per step elsewhere.
 * @module
 */

export interface Progress {
  show(done: number, all: number, what: string): void
  /** Takes the changing line away. */
  clear(): void
}

export function openProgress(stream: NodeJS.WriteStream): Progress {
  const start = performance.now()
  if (!stream.isTTY) {
    return {
      show: (done, all, what) => stream.write(`[${done}/${all}] ${what}\n`),
      clear: () => {},
    }
  }
  const clear = (): void => {
    stream.write('\r\x1b[K')
  }
  return {
    show(done, all, what) {
      const elapsed = (performance.now() - start) / 1000
      const text = `${bar(done / all)} ${what} (${clock(elapsed)})`
      stream.write(`\r\x1b[K${text.slice(0, (stream.columns || 80) - 1)}`)
    },
    clear,
  }
}

const CELLS = 20

function bar(part: number): string {
  const full = Math.round(part * CELLS)
  return `${'#'.repeat(full)}${'.'.repeat(CELLS - full)}`
}

/** 75 as '1:15'. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
