/**
 * Errors that name the argument, what was expected and what came. Messages are built only when thrown.
 * @module
 */

/** How a value is shown in a message: short, and never its contents at length. */
export function show(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) {
    const plain = value.length <= 8 && value.every(item => typeof item !== 'object' || item === null)
    return plain ? `[${value.map(show).join(', ')}]` : `an array of ${value.length}`
  }
  const name = Object.prototype.toString.call(value).slice(8, -1)
  if (ArrayBuffer.isView(value)) return `${name} of ${(value as Uint8Array).length ?? value.byteLength}`
  return name === 'Object' ? 'an object' : name
}

export function wrongType(argument: string, expected: string, found: unknown): TypeError {
  return new TypeError(`${argument}: expected ${expected}, got ${show(found)}`)
}

export function wrongValue(argument: string, expected: string, found: unknown): RangeError {
  return new RangeError(`${argument}: expected ${expected}, got ${show(found)}`)
}

/** A plain or tensor-like object whose properties may be read. */
export function checkObject(argument: string, value: unknown, expected: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(argument, expected, value)
  return value as Record<string, unknown>
}

/** Refuses names that no option has, so that a slip of the pen is never a silent default. */
export function checkNames(argument: string, value: object, known: ReadonlySet<string>): void {
  for (const name in value) {
    if (!known.has(name)) {
      throw new TypeError(`${argument}.${name}: unknown option, expected one of ${[...known].join(', ')}`)
    }
  }
}

export function checkInteger(argument: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw wrongType(argument, 'an integer', value)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw wrongValue(argument, `an integer from ${least} to ${most}`, value)
  }
  return value
}

/** A number that is finite in float32 too: kernels round it to that, and an infinity there would come out as NaN. */
export function checkFinite(argument: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(argument, 'a finite number', value)
  if (!Number.isFinite(Math.fround(value)))
    throw wrongValue(argument, 'a number that is finite in float32', value)
  return value
}

export function checkOneOf<T>(argument: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  const expected = `one of ${choices.map(show).join(', ')}`
  throw typeof value === 'string'
    ? wrongValue(argument, expected, value)
    : wrongType(argument, expected, value)
}

/** The default stands for an absent option only: null, too, is a value that a caller gave. */
export function orDefault<T>(value: unknown, standard: T): T {
  return value === undefined ? standard : (value as T)
}

type Typed = { Int32Array: Int32Array; Float32Array: Float32Array }

/**
 * A typed array of the named kind and length.
 * Compared by its tag and not by instanceof, so that arrays of other realms (vm, iframes) fit.
 */
export function checkArray<K extends keyof Typed>(
  argument: string,
  value: unknown,
  kind: K,
  length: number,
  per: string,
): Typed[K] {
  if (tagOf(value) !== kind) throw wrongType(argument, `${kind} with one value per ${per}`, value)
  const array = value as Typed[K]
  if (array.length !== length) {
    if (isDetached(array))
      throw new TypeError(`${argument}: expected ${kind} of ${length}, got a detached buffer`)
    throw wrongValue(argument, `${kind} of ${length}, one value per ${per}`, array)
  }
  return array
}

export function checkEach(argument: string, values: Int32Array, least: number, most: number): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least || values[i] > most) {
      throw wrongValue(`${argument}[${i}]`, `an integer from ${least} to ${most}`, values[i])
    }
  }
}

/** The kind of a typed array, such as 'Float32Array', or undefined. */
export function tagOf(value: unknown): string | undefined {
  return ArrayBuffer.isView(value)
    ? (value as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
    : undefined
}

/** Whether the memory behind a view has been transferred away. */
export function isDetached(view: ArrayBufferView): boolean {
  const buffer = view.buffer as ArrayBuffer & { detached?: boolean }
  if (buffer.detached !== undefined) return buffer.detached
  if (view.byteLength !== 0 || buffer.byteLength !== 0 || tagOf(view) === undefined) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
