/**
 * Runs a program and keeps what it prints.
 * @module
 */
import { spawn } from 'node:child_process'
import { root } from './paths.mjs'

/**
 * Resolves to `{ ok, code, stdout, text }`, text being stdout and stderr as they came;
 * a program that cannot start is not ok.
 */
export function run(program, args, { cwd = root, env = process.env } = {}) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    let stdout = ''
    let text = ''
    child.stdout.setEncoding('utf8').on('data', piece => {
      stdout += piece
      text += piece
    })
    child.stderr.setEncoding('utf8').on('data', piece => {
      text += piece
    })
    child.on('error', error => resolve({ ok: false, code: undefined, stdout, text: String(error.message) }))
    child.on('close', code => resolve({ ok: code === 0, code, stdout, text }))
  })
}
