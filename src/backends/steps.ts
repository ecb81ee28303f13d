/**
 * Work cut into short steps, for backends without threads of their own.
 * @module
 */

/** Yields after each bounded piece of work (aim for well below a millisecond). */
export type Steps = Generator<void, void, void>

/** How long one turn of the event loop may be held, in milliseconds. */
const TURN_MS = 4

/** Runs all steps at once. */
export function runSteps(steps: Steps): void {
  while (!steps.next().done);
}

/** Runs the steps in turns, letting the event loop in between; stops when the signal fires. */
export async function runStepsAsync(steps: Steps, signal?: AbortSignal): Promise<void> {
  const nextTurn = turns()
  try {
    for (;;) {
      signal?.throwIfAborted()
      const end = performance.now() + TURN_MS
      do {
        if (steps.next().done) return
      } while (performance.now() < end)
      await nextTurn.wait()
    }
  } finally {
    nextTurn.close()
  }
}

/** A wait for the next macrotask: setImmediate where it exists, else a MessageChannel (timers are clamped to 4 ms). */
function turns(): { wait(): Promise<void>; close(): void } {
  if (typeof setImmediate === 'function') {
    return { wait: () => new Promise(resolve => setImmediate(resolve)), close: () => {} }
  }
  if (typeof MessageChannel === 'function') {
    const { port1, port2 } = new MessageChannel()
    let resume: () => void = () => {}
    port1.onmessage = () => resume()
    return {
      wait: () =>
        new Promise(resolve => {
          resume = resolve
          port2.postMessage(0)
        }),
      close: () => port1.close(),
    }
  }
  return { wait: () => new Promise(resolve => setTimeout(resolve, 0)), close: () => {} }
}
