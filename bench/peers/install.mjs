/**
 * Brings in the packages of the peers, once: exact versions from the lock file, and no install scripts,
 * because some of them want to download more (nothing that runs here needs it).
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const LOCK = new URL('package-lock.json', import.meta.url)
/** Written last, so that an install that was cut off is done again. */
const STAMP = new URL('node_modules/.installed', import.meta.url)

const lockHash = () => createHash('sha256').update(readFileSync(LOCK)).digest('hex')

export const arePeersInstalled = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash()

/** @param {string[]} args @returns {Promise<string | undefined>} what npm says went wrong */
const npm = args =>
  new Promise(resolve => {
    // Under `npm run` that very npm; its file needs no shell, which npm.cmd on Windows does.
    const cli = process.env.npm_execpath
    const [command, first, shell] = cli?.endsWith('.js')
      ? [process.execPath, [cli], false]
      : ['npm', [], process.platform === 'win32']
    const child = spawn(command, [...first, ...args], {
      cwd: FOLDER,
      shell,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', text => {
      said += text
    })
    child.on('error', error => resolve(error.message))
    child.on('close', code => resolve(code === 0 ? undefined : reasonIn(said) || `npm ended with ${code}`))
  })

/** @param {string} said */
function reasonIn(said) {
  const errors = said.split('\n').filter(line => /^npm (error|ERR!)/.test(line))
  const told = errors.map(line => line.replace(/^npm (error|ERR!) ?/, ''))
  return (
    told.find(line => line && !/^(code|errno|syscall|network|A complete log|type) ?/.test(line)) ?? told[0]
  )
}

/**
 * @param {(text: string) => void} [write] where the progress goes
 * @returns {Promise<string | undefined>} undefined: all there; otherwise why not
 */
export async function installPeers(write = text => process.stderr.write(text)) {
  if (arePeersInstalled()) return undefined
  write('Installing the libraries to compare with (once, about 500 MB on disk) ... ')
  const start = performance.now()
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error']
  const reason = await npm(args)
  if (reason === undefined) writeFileSync(STAMP, lockHash())
  write(reason ? `skipped: ${reason}\n` : `done in ${Math.round((performance.now() - start) / 1000)} s\n`)
  return reason
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await installPeers()) ? 1 : 0
