/**
 * Whether an engine takes the WASM builds, asked with modules of a few bytes made by hand.
 * @module
 */

export type WasmVariant = 'simd' | 'relaxed'

/** `(func (result v128) BODY)`, with the bytes of BODY. */
function moduleOf(body: number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b]
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b]
  const functions = [3, 2, 1, 0]
  return Uint8Array.from([...header, ...types, ...functions, 10, code.length + 2, 1, code.length, ...code])
}

/** `i8x16.splat (i32.const 0)` */
const SPLAT = [0x41, 0, 0xfd, 0x0f]
const PROBES = {
  simd: { name: 'SIMD', body: SPLAT },
  relaxed: { name: 'relaxed SIMD', body: [...SPLAT, ...SPLAT, ...SPLAT, 0xfd, 0x85, 0x02] },
}

/** Undefined where the engine runs this build, else the reason why not. */
export function supportsWasm(variant: WasmVariant): string | undefined {
  if (typeof WebAssembly === 'undefined') return 'this runtime has no WebAssembly'
  const { name, body } = PROBES[variant]
  return WebAssembly.validate(moduleOf(body)) ? undefined : `this engine has no WebAssembly ${name}`
}

/**
 * Which build a compiled module is; each exports its name.
 * @throws TypeError for a module that is neither
 */
export function variantOf(module: WebAssembly.Module): WasmVariant {
  for (const { name } of WebAssembly.Module.exports(module)) {
    if (name === 'simd' || name === 'relaxed') return name
  }
  throw new TypeError('wasm: expected simd.wasm or relaxed.wasm of this package; got another module')
}
