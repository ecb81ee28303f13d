/**
 * The worker of the WASM backend as text for the bundle.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { build } from 'tsdown'
import { writeWhole } from './files.mjs'
import { at, toolVersion } from './paths.mjs'
import { Failed } from './step.mjs'

const FOLDER = at('build/worker')
const INLINE = at('src/backends/wasm-worker.generated.ts')

export const worker = {
  name: 'worker',
  inputs: [
    ...readdirSync(at('src/backends'))
      .filter(name => name.startsWith('wasm-') && !name.includes('.generated.'))
      .map(name => at('src/backends', name)),
    at('src/attention/plan.ts'),
    import.meta.filename,
  ],
  words: ['tsdown', 'rolldown'].map(toolVersion),
  outputs: [INLINE],
  run: buildWorker,
}

async function buildWorker() {
  try {
    await build({
      config: false,
      entry: { worker: at('src/backends/wasm-worker.ts') },
      outDir: FOLDER,
      format: 'iife',
      platform: 'neutral',
      target: 'es2022',
      minify: true,
      dts: false,
      logLevel: 'silent',
    })
  } catch (error) {
    throw new Failed(error.message, error.stack)
  }
  const [file] = readdirSync(FOLDER)
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8')
  writeWhole(
    INLINE,
    `// Made by scripts/build/worker.mjs: wasm-worker.ts as one script.\nexport const source: string =\n  ${JSON.stringify(text)}\n`,
  )
}
