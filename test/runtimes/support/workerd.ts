/**
 * A worker in workerd, on a port of the loopback interface.
 * @module
 */
import { spawn } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { plainEnv, setting } from './setting.ts'

const DATE = '2026-11-01'

export interface Worker {
  readonly address: string
  stop(): Promise<void>
}

/** Serves the modules of a folder, `main` first. */
export async function startWorker(folder: string, main: string): Promise<Worker> {
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
  const stop = () => {
    child.kill()
    return ended
  }
  if (!(await listens(port, () => child.exitCode === null))) {
    await stop()
    throw new Error(`workerd does not listen:\n${log}`)
  }
  return { address: `http://127.0.0.1:${port}`, stop }
}

/** Serves them for one question to `/`; returns the answer. */
export async function askWorker(folder: string, main: string): Promise<string> {
  const worker = await startWorker(folder, main)
  try {
    const response = await fetch(worker.address)
    const text = await response.text()
    if (!response.ok) throw new Error(`workerd answers ${response.status}: ${text}`)
    return text
  } finally {
    await worker.stop()
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
async function listens(port: number, alive: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 400 && alive(); tries++) {
    if (await connects(port)) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}
