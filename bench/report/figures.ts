/**
 * Numbers as they are written in tables.
 * @module
 */

/** Three digits that count: 0.0123, 1.23, 12.3, 1234. */
export function digits(value: number): string {
  if (value === 0) return '0'
  const size = Math.floor(Math.log10(Math.abs(value)))
  return value.toFixed(Math.max(0, Math.min(6, 2 - size)))
}

export function percent(part: number | undefined): string {
  return part === undefined ? '-' : `${(part * 100).toFixed(part < 0.0995 ? 1 : 0)} %`
}

export function times(factor: number | undefined): string {
  if (factor === undefined) return '-'
  return `${factor.toFixed(factor < 0.0995 ? 3 : factor < 9.95 ? 2 : factor < 99.5 ? 1 : 0)}x`
}

/** 1.2e-7 */
export function error(value: number): string {
  return value === 0 ? '0' : value.toExponential(1)
}

/** 805306368 as '805 MFLOP'. */
export function flop(count: number): string {
  return count < 1e9 ? `${digits(count / 1e6)} MFLOP` : `${digits(count / 1e9)} GFLOP`
}

/** 12582912 as '12.6 MB'. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${digits(bytes / 1e3)} kB` : `${digits(bytes / 1e6)} MB`
}
