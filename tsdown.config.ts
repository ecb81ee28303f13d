import { defineConfig } from 'tsdown'

const shared = { format: 'esm', target: 'es2022', fixedExtension: false } as const

// By tsc, which infers what oxc's stricter rule refuses (`1 << 0` in a constant).
const dts = { oxc: false, compilerOptions: { isolatedDeclarations: false } } as const

/** What is built on the package uses it as anyone would: by an entry of it, not by a second copy. */
const onEntry = (entry: string) => ({
  name: 'package-entry',
  resolveId(id: string): { id: string; external: true } | undefined {
    return /^\.\.\/(src\/)?index\.ts$/.test(id) ? { id: entry, external: true } : undefined
  },
})

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
  {
    ...shared,
    platform: 'neutral',
    entry: { onnx: 'src/onnx/index.ts' },
    dts,
    plugins: [onEntry('./index.js')],
  },
  {
    ...shared,
    platform: 'neutral',
    entry: { 'onnx-edge': 'src/onnx/index.ts' },
    dts: false,
    plugins: [onEntry('./edge.js')],
  },
  {
    ...shared,
    platform: 'node',
    entry: { demo: 'src/cli/demo.ts', doctor: 'src/cli/doctor.ts', selfsame: 'src/cli/selfsame.ts' },
    dts: false,
    plugins: [onEntry('./index.js')],
  },
  {
    ...shared,
    platform: 'node',
    entry: Object.fromEntries(
      ['main', 'child', 'compare', 'callgrind'].map(name => [`bench/${name}`, `bench/${name}.ts`]),
    ),
    outputOptions: { chunkFileNames: 'bench/[name]-[hash].js' },
    dts: false,
    plugins: [onEntry('../index.js')],
    // Drawing charts is for the repository; whoever installs the package does without.
    deps: { neverBundle: ['@observablehq/plot', 'linkedom'] },
  },
])
