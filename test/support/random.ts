/**
 * Numbers that a seed repeats exactly, and the one seed of a test run.
 * @module
 */

/** `SELFSAME_SEED=… npx vitest run …` replays a run; the default is fixed, so that CI repeats itself. */
export const SEED: number = Number(process.env.SELFSAME_SEED ?? 20261124)

export interface Random {
  /** An integer from 0 up to 2^32. */
  word(): number
  /** From 0 (included) to 1 (not included). */
  unit(): number
  /** An integer from 0 up to `count`, which is not included. */
  below(count: number): number
  pick<T>(choices: readonly T[]): T
  shuffle<T>(items: readonly T[]): T[]
  /** Gaussian with mean 0 and deviation 1. */
  normal(): number
}

/** A Weyl sequence through a 32-bit mixer: every seed gives another stream. */
export function random(seed: number): Random {
  let state = mix(seed >>> 0)
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state)
  }
  const unit = (): number => word() / 2 ** 32
  const below = (count: number): number => Math.floor(unit() * count)
  return {
    word,
    unit,
    below,
    pick: choices => choices[below(choices.length)],
    shuffle: items => {
      const order = [...items]
      for (let i = order.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const moved = order[i]
        order[i] = order[j]
        order[j] = moved
      }
      return order
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  }
}

function mix(word: number): number {
  let x = word
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}
