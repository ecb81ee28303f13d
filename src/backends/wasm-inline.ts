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
    module = new WebAssembly.Module(bytesOf(variant === 'simd' ? simd : relaxed))
    compiled.set(variant, module)
  }
  return module
}

/** Bytes of base64. `Uint8Array.from` of a string takes 6 ms, more than all else at the first call; this takes 0.1 or 1. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as {
    Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> }
  }
  if (Buffer) return Buffer.from(base64, 'base64')
  const binary = atob(base64)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
