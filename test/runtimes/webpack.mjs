/**
 * Bundles one entry to app.mjs with webpack's defaults.
 *
 *   node webpack.mjs ENTRY FOLDER node|web
 * @module
 */
import webpack from 'webpack'

const [entry, folder, target] = process.argv.slice(2)

webpack(
  {
    mode: 'production',
    entry,
    target,
    context: process.cwd(),
    experiments: { outputModule: true },
    output: { path: folder, filename: 'app.mjs', module: true },
  },
  (error, stats) => {
    if (!error && !stats.hasErrors()) return
    console.error(error ?? stats.toString({ errors: true }))
    process.exitCode = 1
  },
)
