/**
 * Who looks at whom in one head, strongest first.
 * @module
 */
import type { HeadMap } from './head.ts'

/** One token looking at another, by their places in the sentence. */
export interface Link {
  readonly from: number
  readonly to: number
  readonly weight: number
}

/** All links of a head, or those of one token, strongest first; equal ones in reading order. */
export function linksOf(map: HeadMap, from?: number): Link[] {
  const size = map.tokens.length
  const links: Link[] = []
  for (let i = from ?? 0; i < (from === undefined ? size : from + 1); i++) {
    for (let j = 0; j < size; j++) links.push({ from: i, to: j, weight: map.weights[i * size + j] })
  }
  return links.sort((a, b) => b.weight - a.weight)
}
