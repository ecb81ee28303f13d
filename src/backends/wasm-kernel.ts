/**
 * What the kernels of assembly/ export, and the records through which they are told what to do.
 * @module
 */

/** The exports of assembly/attention.ts. Addresses count bytes; `task` is the address of a record of TASK. */
export interface Kernel {
  readonly heapBase: WebAssembly.Global
  packQueries(
    source: number,
    step: number,
    target: number,
    rows: number,
    headDim: number,
    factor: number,
  ): void
  packKeys(source: number, step: number, target: number, first: number, end: number, headDim: number): void
  moveRows(
    source: number,
    sourceStep: number,
    target: number,
    targetStep: number,
    rows: number,
    width: number,
  ): void
  widen(source: number, target: number, count: number, type: number): void
  widenInt8(source: number, target: number, rows: number, stride: number, scales: number): void
  narrow(source: number, target: number, count: number, type: number): void
  packRows(task: number, source: number, step: number, rows: number, factor: number, type: number): void
  attendRows(
    task: number,
    block: number,
    end: number,
    offset: number,
    type: number,
    keys: number,
    keyStep: number,
    values: number,
    valueStep: number,
    keyScales: number,
    valueScales: number,
  ): void
  packLowQueries(task: number): void
  packLow(task: number, from: number, to: number): void
  openStrips(task: number): void
  attendBlock(task: number, block: number, offset: number, from: number, to: number): void
  closeStrips(task: number): void
  lookAtBlock(task: number, block: number, offset: number, first: number, strips: number, step: number): void
}

/** Rows of a strip: the lanes of the kernel. */
export const STRIP = 8
/** Keys of a block; blocks begin at multiples of it, wherever a row's range begins. */
export const KEY_BLOCK = 64

/** Where the fields of a strip's state lie, in words of 4 bytes, as in assembly/strip.ts; each has one for every row. */
export const STATE = { slope: 24, keepAt: 32, dropAt: 40, biasAt: 48, max: 56, sum: 64 } as const
/** The same for the sinks, in words of 8 bytes from the strip's first; a strip's rows lie side by side. */
export const STATE_SINK = 40
export const STATE_WORDS = 112

/** Where the fields of a task lie, in words of 4 bytes, as in assembly/task.ts. */
export const TASK = {
  queries: 0,
  keys: 1,
  values: 2,
  output: 3,
  state: 4,
  scores: 5,
  strips: 6,
  headDim: 7,
  stride: 8,
  features: 9,
  unit: 10,
  exponent: 11,
  cap: 12,
  keepShift: 13,
  dropShift: 14,
  biasType: 15,
  first: 16,
  rows: 17,
  group: 18,
  keyBegin: 19,
  keyEnd: 20,
  firstPosition: 21,
  left: 22,
  right: 23,
  sinkEnd: 24,
  low: 54,
  lowQueries: 55,
  lowKeys: 56,
  lowValues: 57,
  keyBlockBytes: 58,
} as const
export const TASK_WORDS = 80

/** Steps of the pipeline that `lookAtBlock` shows, as in assembly/look.ts; the first three are those of ScoresAt. */
export const Step = { scaled: 0, capped: 1, masked: 2, weights: 3 } as const
