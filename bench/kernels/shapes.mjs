/** What kernels are tried on: heads, kvHeads, queries, keys, headDim, causal. @type {Record<string, number[]>} */
export const SHAPES = {
  'bert-512': [12, 12, 512, 512, 64, 0],
  'gpt-1024': [12, 12, 1024, 1024, 64, 1],
  minilm: [96, 96, 128, 128, 32, 0],
  'llama-2048': [32, 8, 2048, 2048, 128, 1],
  'decode-4096': [32, 8, 1, 4096, 128, 0],
}
