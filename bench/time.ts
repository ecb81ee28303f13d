/**
 * Runs something again and again and notes how long it takes, by tinybench.
 * @module
 */
import { Bench } from 'tinybench'
import type { Prepared } from './contender.ts'

/** Runs longer than this are few, and need no warming beyond the run that was verified. */
const LONG_MS = 100
/**
 * Warming takes more time than measuring: V8 goes on optimising WebAssembly beside the run, on the same core.
 * After 50 ms of it half of the samples were still up to three times too long, after 300 ms hardly any.
 */
const WARMING = 1.5

/**
 * Milliseconds of each run, over about `milliseconds` in all.
 * @param firstMs how long the first run took
 */
export async function timesOf(prepared: Prepared, milliseconds: number, firstMs: number): Promise<number[]> {
  if (prepared.times) return (await prepared.times(milliseconds)).map(seconds => seconds * 1000)
  const long = firstMs > LONG_MS
  const bench = new Bench({
    time: milliseconds,
    iterations: Math.max(1, Math.min(10, Math.floor(milliseconds / firstMs))),
    warmup: !long,
    warmupTime: milliseconds * WARMING,
    warmupIterations: 3,
    retainSamples: true,
    throws: true,
  })
  bench.add('run', () => prepared.run())
  const [task] = await bench.run()
  if (task.result.state !== 'completed') throw new Error(`timing ended as '${task.result.state}'`)
  return [...(task.result.latency.samples ?? [])]
}
