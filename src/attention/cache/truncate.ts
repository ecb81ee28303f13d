/**
 * Taking tokens back from a cache.
 * @module
 */
import { checkArray, checkInteger, wrongType, wrongValue } from '../check.ts'
import type { Contents } from './contents.ts'

/** Shortens every item, or, when it throws, none. */
export function truncateTokens({ sizes, table }: Contents, length: unknown): void {
  const wanted = readLengths(length, table.lengths)
  for (const [item, left] of wanted.entries()) {
    const evicted = table.evicted[item]
    if (evicted === 0) continue
    const { window, sinkTokens } = sizes.rolling!
    const least = evicted + window - 1
    if (left > sinkTokens && left < least) {
      throw wrongValue(
        'length',
        `at least ${least} in item ${item} (or at most ${sinkTokens}, the sink tokens), since the window has given back the keys before ${evicted} that the next token would see`,
        left,
      )
    }
  }
  for (const [item, left] of wanted.entries()) table.truncate(item, left)
}

function readLengths(value: unknown, lengths: Int32Array): Int32Array {
  if (typeof value === 'number') {
    const most = lengths.reduce((longest, length) => Math.max(longest, length), 0)
    checkInteger('length', value, 0, most)
    return lengths.map(length => Math.min(length, value))
  }
  if (!ArrayBuffer.isView(value))
    throw wrongType('length', 'an integer, or an Int32Array with one per batch item', value)
  const wanted = checkArray('length', value, 'Int32Array', lengths.length, 'batch item')
  for (const [item, left] of wanted.entries()) checkInteger(`length[${item}]`, left, 0, lengths[item])
  return wanted
}
