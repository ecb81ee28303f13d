/**
 * Serves a folder on the loopback interface, opens it in headless Chromium and prints the report that the page leaves.
 *
 *   node browser.mjs FOLDER [--isolated]
 *
 * `--isolated` sends the headers under which a page may share memory with its workers.
 * @module
 */
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { chromium } from 'playwright-core'

const [folder, ...flags] = process.argv.slice(2)
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
}
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

const server = createServer((request, response) => {
  const path = new URL(request.url, 'http://page').pathname
  const file = join(folder, normalize(path === '/' ? '/index.html' : path))
  if (!existsSync(file)) return response.writeHead(404).end()
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    ...(flags.includes('--isolated') ? ISOLATED : {}),
  })
  createReadStream(file).pipe(response)
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  const page = await browser.newPage()
  page.on('pageerror', error => console.error(String(error)))
  // Not until it has loaded: the report is made while it loads.
  await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: 'commit', timeout: 60_000 })
  const report = await page.waitForFunction(() => globalThis.report, undefined, { timeout: 200_000 })
  console.log(JSON.stringify({ ...(await report.jsonValue()), version: browser.version() }))
} finally {
  await browser.close()
  server.close()
}
