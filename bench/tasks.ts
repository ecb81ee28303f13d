/**
 * Who is measured on what, in which order, and how often.
 * @module
 */
import type { Shape } from './contender.ts'
import { isOwn } from './contenders.ts'
import type { Options } from './options.ts'
import type { Group, Line } from './result.ts'
import { optionContenders, sequencePoints, threadPoints } from './scaling.ts'
import { summarize } from './stats.ts'

export interface Task {
  line: Line
  shape: Shape
  /** Where the shape is about an option: the same without it. */
  plain?: Shape
}

/** Runs longer than this are measured in the first round only. */
const SLOW_MS = 400

/** Shape by shape, contenders side by side; lines of the sweeps and of the options come last. */
export function tasksOf(options: Options, present: readonly string[], cores: number): Task[] {
  const tasks: Task[] = []
  const add = (group: Group, shape: Shape, threads: number, contender: string, plain?: Shape): void => {
    // A sweep over threads takes up lines that are in the table anyway.
    const known = tasks.some(
      ({ line }) => line.shape === shape.name && line.threads === threads && line.contender === contender,
    )
    if (known) return
    const line: Line = { group, contender, shape: shape.name, threads, outcome: 'waiting', rounds: [] }
    tasks.push({ line, shape, ...(plain && { plain }) })
  }
  for (const shape of options.shapes) {
    for (const threads of options.threads) {
      for (const contender of present) add('shapes', shape, threads, contender)
    }
  }
  const sweeps = {
    sequence: () => sequencePoints(present),
    threads: () => threadPoints(present, cores),
  }
  for (const group of options.sweeps) {
    for (const { shape, threads, contenders } of sweeps[group]()) {
      for (const contender of contenders) add(group, shape, threads, contender)
    }
  }
  for (const { shape, plain } of options.priced) {
    const asked = optionContenders(present).filter(
      name => isOwn(name) || !(shape.options?.precision || shape.cache),
    )
    for (const contender of asked) add('options', shape, 1, contender, plain)
  }
  return tasks
}

/** Within a shape each round begins with another contender, so that none always follows the same one. */
export function turned(tasks: readonly Task[], round: number): Task[] {
  const groups = new Map<string, Task[]>()
  for (const task of tasks) {
    const key = `${task.line.group} ${task.line.shape} ${task.line.threads}`
    groups.set(key, [...(groups.get(key) ?? []), task])
  }
  return [...groups.values()].flatMap(group => {
    const turn = round % group.length
    return [...group.slice(turn), ...group.slice(0, turn)]
  })
}

/** Sweeps are measured once, and so is what is slow, what has no time, and what options cost others. */
export function isDue({ group, contender, outcome, rounds }: Line, round: number): boolean {
  if (round === 0) return true
  const again = group === 'shapes' || (group === 'options' && isOwn(contender))
  return again && outcome === 'timed' && summarize(rounds).median < SLOW_MS
}
