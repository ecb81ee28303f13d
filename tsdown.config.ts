import { defineConfig } from 'tsdown'

const shared = { format: 'esm', target: 'es2022', fixedExtension: false } as const

// By tsc, which infers what oxc's stricter rule refuses (`1 << 0` in a constant).
const dts = { oxc: false, compilerOptions: { isolatedDeclarations: false } } as const

/** The demo uses the package as anyone would: by its entry, not by a second copy of it. */
const packageEntry = {
  name: 'package-entry',
  resolveId(id: string): { id: string; external: true } | undefined {
    return id === '../index.ts' ? { id: './index.js', external: true } : undefined
  },
}

// scripts/build.mjs runs this and lays the .wasm files and the recording beside the result.
export default defineConfig([
  { ...shared, platform: 'neutral', entry: { index: 'src/index.ts' }, dts },
  {
    ...shared,
    platform: 'neutral',
    entry: { edge: 'src/edge.ts' },
    dts,
    // The bundler of the edge host makes these a WebAssembly.Module.
    deps: { neverBundle: [/\.wasm\?module$/] },
  },
  { ...shared, platform: 'node', entry: { demo: 'src/cli/demo.ts' }, dts: false, plugins: [packageEntry] },
])
