/**
 * A worker in workerd on a port of the loopback interface, for as long as a test asks it something.
 * @module
 */
import { spawn } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { plainEnv, setting } from './setting.ts'

const DATE = '2026-11-01'

/** Serves the modules of a folder, `main` first, and calls `ask` with the worker's address. */
export async function withWorker<Answer>(
  folder: string,
  main: string,
  ask: (address: string) => Promise<Answer>,
): Promise<Answer> {
  const port = await freePort()
  const config = join(folder, 'config.capnp')
  writeFileSync(config, configOf(folder, main, port))
  const child = spawn(setting.tools.workerd, ['serve', config], {
    env: plainEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', piece => {
      log += piece
    })
  }
  const ended = new Promise<void>(resolve => child.on('close', () => resolve()))
  try {
    await listening(port, () => child.exitCode === null)
    return await ask(`http://127.0.0.1:${port}`)
  } catch (error) {
    throw new Error(`workerd: ${error instanceof Error ? error.message : error}\n${log}`)
  } finally {
    child.kill()
    await ended
  }
}

function configOf(folder: string, main: string, port: number): string {
  const others = readdirSync(folder).filter(name => name !== main && /\.(js|mjs|wasm)(\?module)?$/.test(name))
  const modules = [main, ...others].map(name => {
    const kind = /\.wasm/.test(name) ? 'wasm' : 'esModule'
    return `    (name = "${name}", ${kind} = embed "${name}")`
  })
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ]
);
const worker :Workerd.Worker = (
  compatibilityDate = "${DATE}",
  modules = [
${modules.join(',\n')}
  ]
);
`
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** A second is usual; a machine with other work may take longer. */
async function listening(port: number, alive: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && alive(); tries++) {
    if (await connects(port)) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('it does not listen')
}

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}
