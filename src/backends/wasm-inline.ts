/**
 * The WASM builds carried inside the JavaScript, for runtimes that compile bytes.
 * @module
 */
import { relaxed, simd } from './wasm-inline.generated.ts'

const compiled = new Map<string, WebAssembly.Module>()

/** Compiles a build at its first use; throws where the host forbids compiling bytes. */
export function compileInline(variant: 'simd' | 'relaxed'): WebAssembly.Module {
  let module = compiled.get(variant)
  if (!module) {
    const binary = atob(variant === 'simd' ? simd : relaxed)
    module = new WebAssembly.Module(Uint8Array.from(binary, char => char.charCodeAt(0)))
    compiled.set(variant, module)
  }
  return module
}
