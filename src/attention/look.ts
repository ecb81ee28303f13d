/**
 * What `attentionWeights` is to show, and of which rows.
 * @module
 */
import { checkArray, checkEach, checkOneOf, orDefault, wrongType, wrongValue } from './check.ts'
import { Feature, Output, ScoresAt } from './plan.ts'
import type { Shape } from './shape.ts'
import type { WeightsOptions } from './types.ts'

/** What a look inside asks for: weights, scores, mass, and of which rows. */
export interface Look {
  readonly outputs: number
  readonly scoresAt: number
  readonly rows: number
  readonly features: number
}

/** Reads `want`, `scoresAt` and `rows`; `basic` outputs come in any case, and only a `looking` function takes the three. */
export function readLook(
  basic: number,
  looking: boolean,
  shape: Shape,
  options: WeightsOptions,
  rolling: boolean,
): Look {
  if (!looking) return { outputs: basic, scoresAt: 0, rows: shape.queries, features: 0 }
  const want = orDefault(options.want, ['weights'])
  if (!Array.isArray(want)) throw wrongType('want', "an array of 'weights', 'scores', 'mass'", want)
  let outputs = basic
  let features = 0
  for (const [i, name] of want.entries()) {
    const known = checkOneOf(`want[${i}]`, name, ['weights', 'scores', 'mass'] as const)
    outputs |= Output[known]
    features |= Feature[known]
  }
  const scoresAt = checkOneOf('scoresAt', orDefault(options.scoresAt, 'masked'), [
    'scaled',
    'capped',
    'masked',
  ] as const)
  if (options.scoresAt !== undefined && !(outputs & Output.scores)) {
    throw wrongValue('scoresAt', "'scores' in want beside it", options.scoresAt)
  }
  if (rolling && scoresAt !== 'masked') {
    const expected = "'masked' beside a rolling cache, which no longer has every key"
    throw wrongValue('scoresAt', expected, scoresAt)
  }
  return { outputs, scoresAt: ScoresAt[scoresAt], rows: readRows(shape, options, want.length), features }
}

function readRows(shape: Shape, options: WeightsOptions, wanted: number): number {
  if (options.rows === undefined) return shape.queries
  if (options.cuSeqlens !== undefined)
    throw wrongValue('rows', 'no such option beside cuSeqlens', options.rows)
  if (wanted === 0) throw wrongValue('rows', 'something in want beside it', options.rows)
  const length = (options.rows as { length?: number }).length ?? 0
  const rows = checkArray('rows', options.rows, 'Int32Array', length, 'selected row')
  checkEach('rows', rows, 0, shape.queries - 1)
  return rows.length
}
