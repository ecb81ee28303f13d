/**
 * A hunt: drawn calls on some platforms, until one is wrong. Free of any test framework.
 * @module
 */
import fc from 'fast-check'
import type { Platform } from '../platforms.ts'
import { type Draft, drafts } from './draft.ts'

/** Says what is wrong with a draft on some platforms; nothing where all is well. */
export type Property = (draft: Draft, platforms: readonly Platform[]) => string[]

export interface Hunt {
  readonly name: string
  readonly property: Property
}

export interface Prey {
  readonly seed: number
  /** Where fast-check finds the smallest failing draft again. */
  readonly path: string
  readonly draft: Draft
  readonly problems: string
}

/** Draws `cases` calls from a seed; with a path only the one at it. */
export function hunt(
  { property }: Hunt,
  platforms: readonly Platform[],
  { seed, path, cases }: { seed: number; path?: string; cases: number },
): Prey | undefined {
  const details = fc.check(
    fc.property(drafts, draft => {
      const problems = property(draft, platforms)
      if (problems.length > 0) throw new Error(problems.join('\n'))
    }),
    { seed, numRuns: cases, ...(path && { path, endOnFailure: true }) },
  )
  if (!details.failed) return undefined
  const error = details.errorInstance
  return {
    seed,
    path: details.counterexamplePath!,
    draft: details.counterexample![0],
    problems: error instanceof Error ? error.message : String(error),
  }
}

/** Of a platform's problems: who has them; an error that a call throws is one. */
export function onEach(platforms: readonly Platform[], check: (platform: Platform) => string[]): string[] {
  const found = platforms.map(platform => {
    try {
      return check(platform).map(problem => `${platform.name}: ${problem}`)
    } catch (error) {
      return [`${platform.name}: threw ${error instanceof Error ? error.stack : error}`]
    }
  })
  const all = found.flat()
  const right = platforms.filter((_, n) => found[n].length === 0).map(({ name }) => name)
  if (all.length > 0 && right.length > 0) all.push(`right on: ${right.join(', ')}`)
  return all
}

/** What a failure prints: what is wrong, the draft without its defaults, and the command that runs it again. */
export function report(name: string, { seed, path, draft, problems }: Prey, where = ''): string {
  const told = Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined))
  return [
    problems,
    `draft: ${JSON.stringify(told)}`,
    `replay: node scripts/fuzz.mjs --hunt ${name} --seed ${seed} --path ${path}${where}`,
  ].join('\n')
}
