/**
 * What `using` needs, for runtimes and TypeScript libraries that know it.
 * @module
 */

/** `[Symbol.dispose]()` where the TypeScript library in use has the symbol; nothing where it has not, instead of an error. */
export type Disposing = SymbolConstructor extends { readonly dispose: infer Name extends symbol }
  ? { [name in Name]: () => void }
  : object

/** Gives a class `[Symbol.dispose]`, where the runtime has the symbol. */
export function addDispose(prototype: { dispose(): void }): void {
  const { dispose } = Symbol as { readonly dispose?: symbol }
  if (dispose) Object.defineProperty(prototype, dispose, { value: prototype.dispose })
}
