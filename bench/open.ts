/**
 * A contender ready to be timed on a work: opened, run once, and found right.
 * @module
 */
import type { Contender, Prepared, Work } from './contender.ts'
import { compare, type Verdict, verify } from './verify.ts'

export type Opened =
  | { outcome: 'right'; prepared: Prepared; verdict: Verdict; firstMs: number }
  | { outcome: 'cannot'; reason: string }
  | { outcome: 'wrong'; how: string; verdict: Verdict }

/** @param oracle file in which the children of a run share the exact rows of a shape */
export async function openRight(contender: Contender, work: Work, oracle?: string): Promise<Opened> {
  const prepared = await contender.prepare(work)
  if (typeof prepared === 'string') return { outcome: 'cannot', reason: prepared }
  try {
    const start = performance.now()
    await prepared.run()
    const firstMs = performance.now() - start
    const verdict = prepared.instead
      ? { ...compare(prepared.output(), prepared.instead.expected()), rows: 1, allRows: 1 }
      : verify(work, prepared.output(), oracle)
    if (!verdict.wrong) return { outcome: 'right', prepared, verdict, firstMs }
    await prepared.close?.()
    return { outcome: 'wrong', how: prepared.how, verdict }
  } catch (error) {
    await prepared.close?.()
    throw error
  }
}
