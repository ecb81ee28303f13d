/**
 * What options cost: speed for each score that is kept, the plain call on the same shape being 1.
 * @module
 */
import { costOf } from '../geometry.ts'
import type { Line, Results } from '../result.ts'
import { summarize } from '../stats.ts'
import { median } from '../turns.ts'
import { percent } from './figures.ts'
import { reasonOf } from './words.ts'

/** One option: how many of all scores are kept, and what became of each contender. */
export interface Price {
  option: string
  note: string
  kept: string
  cells: (Paid | Unpaid)[]
}

export interface Paid {
  relative: number
  /** Median with the option, in milliseconds. */
  ms: number
  maxAbs: number
}

export interface Unpaid {
  /** '-' where it cannot be done, else what went wrong. */
  word: string
  reason: string
}

export interface PriceTable {
  contenders: string[]
  prices: Price[]
}

export const PRICE_MEANING =
  'Speed for each score that is kept, the same call without the option on the same shape being 1; the two run by turns in one process.'

export function pricesOf(results: Results): PriceTable {
  const lines = results.lines.filter(({ group, outcome }) => group === 'options' && outcome !== 'waiting')
  const contenders = [...new Set(lines.map(({ contender }) => contender))]
  const shapes = results.shapes.filter(({ name }) => lines.some(({ shape }) => shape === name))
  const prices = shapes.map(shape => {
    const { name, note, batch, heads, queries, keys } = shape
    const cells = contenders.map(contender =>
      cellOf(lines.find(line => line.shape === name && line.contender === contender)),
    )
    const kept = percent(costOf(shape).pairs / (batch * heads * queries * keys))
    return { option: name.replace(/^option-/, ''), note, kept, cells }
  })
  return { contenders, prices }
}

/** 'softcap, torch: …' for every cell without a figure. */
export function reasonsOf({ contenders, prices }: PriceTable): string[] {
  return prices.flatMap(({ option, cells }) =>
    cells.flatMap((cell, i) => ('reason' in cell ? [`${option}, ${contenders[i]}: ${cell.reason}`] : [])),
  )
}

function cellOf(line: Line | undefined): Paid | Unpaid {
  if (!line) return { word: '-', reason: 'not measured' }
  if (line.outcome !== 'timed') {
    return { word: line.outcome === 'cannot' ? '-' : line.outcome, reason: reasonOf(line) }
  }
  return {
    relative: median(line.plain!.map(({ relative }) => relative)),
    ms: summarize(line.rounds).median,
    maxAbs: line.verdict!.maxAbs,
  }
}
