/**
 * The WASM builds carried inside the JavaScript, for runtimes that compile bytes.
 * @module
 */
import { relaxed, simd } from './wasm-inline.generated.ts'

const compiled = new Map<string, WebAssembly.Module>()
const sources = new WeakMap<WebAssembly.Module, Uint8Array<ArrayBuffer>>()

/** Compiles a build at its first use; throws where the host forbids compiling bytes. */
export function compileInline(variant: 'simd' | 'relaxed'): WebAssembly.Module {
  let module = compiled.get(variant)
  if (!module) {
    const bytes = bytesOf(variant === 'simd' ? simd : relaxed)
    module = new WebAssembly.Module(bytes)
    compiled.set(variant, module)
    sources.set(module, bytes)
  }
  return module
}

/**
 * What to hand to a worker: the bytes of an inlined build, any other module as it is. In Deno a module that was sent to a
 * worker is never optimised there, and takes 20 times as long.
 */
export function sourceOf(module: WebAssembly.Module): WebAssembly.Module | Uint8Array<ArrayBuffer> {
  return sources.get(module) ?? module
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
