/** How wrangler and Vercel's edge bundler hand over a .wasm file. */
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
